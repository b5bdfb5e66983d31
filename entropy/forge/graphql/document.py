"""Reading a GraphQL document: one operation, its variables and what it selects."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r'[\s,]+|#[^\n]*|(?P<block>"""(?:[^"]|"(?!""))*""")|(?P<text>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<spread>\.\.\.)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[{}()\[\]:$!=@|&])"
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORDS = {"true": True, "false": False, "null": None}


class DocumentError(Exception):
    """The document cannot be read; the message is one sentence."""


@dataclass(frozen=True)
class Variable:
    name: str


@dataclass(frozen=True)
class Selection:
    """A field, or with `on` an inline fragment for one type."""

    name: str
    alias: str
    arguments: Mapping[str, Any]
    selections: Sequence["Selection"] = ()
    on: str | None = None


@dataclass(frozen=True)
class Operation:
    kind: str
    """query or mutation."""
    name: str
    defaults: Mapping[str, Any]
    selections: Sequence[Selection]


def parse(text: str, wanted: str | None = None) -> Operation:
    """The operation of this name, or the only one."""
    reader = _Reader(text)
    operations = []
    while not reader.ended:
        operations.append(reader.operation())
    chosen = [each for each in operations if wanted in {None, each.name}]
    if len(chosen) != 1:
        raise DocumentError(f"No operation named {wanted!r}" if wanted else "An operation name is required")
    return chosen[0]


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise DocumentError(f"Parse error on {text[at]!r} at character {at}")
        if match.lastgroup:
            found.append((match.lastgroup, match[0]))
        at = match.end()
    return found


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at >= len(self._tokens)

    def _peek(self) -> str:
        return "" if self.ended else self._tokens[self._at][1]

    def _take(self, wanted: str | None = None, kind: str | None = None) -> str:
        if self.ended:
            raise DocumentError("Unexpected end of document")
        found, text = self._tokens[self._at]
        if (wanted is not None and text != wanted) or (kind is not None and found != kind):
            raise DocumentError(f"Parse error on {text!r}, expecting {wanted or kind}")
        self._at += 1
        return text

    def _skip(self, wanted: str) -> bool:
        if self._peek() != wanted or self.ended:
            return False
        self._at += 1
        return True

    def operation(self) -> Operation:
        if self._peek() == "{":
            return Operation("query", "", {}, self._selections())
        kind = self._take(kind="name")
        if kind not in {"query", "mutation"}:
            raise DocumentError(f"A {kind} is not understood here")
        name = "" if self._peek() in "({" else self._take(kind="name")
        defaults = self._variables() if self._peek() == "(" else {}
        return Operation(kind, name, defaults, self._selections())

    def _variables(self) -> dict[str, Any]:
        defaults = {}
        self._take("(")
        while not self._skip(")"):
            self._take("$")
            name = self._take(kind="name")
            self._take(":")
            while self._peek() in {"[", "]", "!"} or self._tokens[self._at][0] == "name":
                self._at += 1
            defaults[name] = self._value() if self._skip("=") else None
        return defaults

    def _selections(self) -> list[Selection]:
        found = []
        self._take("{")
        while not self._skip("}"):
            found.append(self._fragment() if self._skip("...") else self._field())
        return found

    def _fragment(self) -> Selection:
        kind = None
        if self._peek() != "{":
            self._take("on")
            kind = self._take(kind="name")
        return Selection("", "", {}, self._selections(), on=kind or "")

    def _field(self) -> Selection:
        name = alias = self._take(kind="name")
        if self._skip(":"):
            name = self._take(kind="name")
        arguments = self._arguments() if self._peek() == "(" else {}
        return Selection(name, alias, arguments, self._selections() if self._peek() == "{" else ())

    def _arguments(self) -> dict[str, Any]:
        found = {}
        self._take("(")
        while not self._skip(")"):
            name = self._take(kind="name")
            self._take(":")
            found[name] = self._value()
        return found

    def _value(self) -> Any:
        if self._skip("$"):
            return Variable(self._take(kind="name"))
        if self._skip("["):
            return self._list()
        return self._object() if self._skip("{") else self._scalar()

    def _scalar(self) -> Any:
        if self.ended:
            raise DocumentError("Unexpected end of document")
        kind, text = self._tokens[self._at]
        self._at += 1
        match kind:
            case "text":
                return re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _escaped, text[1:-1])
            case "block":
                return text[3:-3].strip()
            case "number":
                return float(text) if "." in text else int(text)
            case "name":
                return _WORDS.get(text, text)
        raise DocumentError(f"Parse error on {text!r}, expecting a value")

    def _list(self) -> list[Any]:
        found = []
        while not self._skip("]"):
            found.append(self._value())
        return found

    def _object(self) -> dict[str, Any]:
        found = {}
        while not self._skip("}"):
            name = self._take(kind="name")
            self._take(":")
            found[name] = self._value()
        return found


def _escaped(match: re.Match[str]) -> str:
    return chr(int(match[1][1:], 16)) if len(match[1]) > 1 else _ESCAPES.get(match[1], match[1])
