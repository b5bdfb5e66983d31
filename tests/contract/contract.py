"""GitHub's own descriptions as a judge: of single exchanges (a request and its answer), and of webhooks' payloads."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from jsonschema_rs import Draft202012Validator, Validator

DESCRIPTION = Path(__file__).with_name("github-openapi.json")
WEBHOOKS = Path(__file__).with_name("github-webhooks.json")
NUMBERED = re.compile(r"/repositories/\d+(?=/|$)")
"""A repository by its id, which the description leaves out: every path below a repository's name exists so too."""
SLASHED = {"ref": ".+", "branch": ".+", "basehead": ".+", "path": ".*"}
"""Parameters of a path that may have slashes in them; a file's path may be empty, which is the top folder."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    query: str
    sent: bytes
    status: int
    content_type: str
    received: bytes


@dataclass(frozen=True)
class Violation:
    operation: str
    """The operation's id in the description; ``METHOD path`` when the description has none."""
    part: str
    """``request``, or ``response`` with its status."""
    message: str

    def __str__(self) -> str:
        return f"{self.operation} {self.part}: {self.message}"


@dataclass(frozen=True)
class Operation:
    pattern: re.Pattern[str]
    method: str
    body: Json

    @property
    def id(self) -> str:
        return str(self.body["operationId"])

    def parameters(self, place: str) -> dict[str, Json]:
        return {each["name"]: each for each in self.body["parameters"] if each["in"] == place}


class Contract:
    def __init__(self, description: Json) -> None:
        converted = _nullable(description)
        self._components = converted["components"]
        self._ours = frozenset(description["x-ours"])
        # The most literal path first: `commits/{ref}/status` is no commit whose name ends so.
        paths = sorted(converted["paths"].items(), key=lambda entry: -len(re.sub(r"\{\w+\}", "", entry[0])))
        self._operations = [
            Operation(_pattern(path), method.upper(), body)
            for path, methods in paths
            for method, body in methods.items()
        ]
        self._validators: dict[int, Validator] = {}

    def operations(self) -> frozenset[str]:
        return frozenset(operation.id for operation in self._operations)

    def ours(self) -> frozenset[str]:
        """What entropy/github sends."""
        return self._ours

    def operation(self, exchange: Exchange) -> Operation | None:
        return next((each for each in self._operations if _matches(each, exchange)), None)

    def element(self, schema: Json) -> Json:
        """The object behind references, lists and alternatives, of which GitHub lists the widest last."""
        while not schema.get("properties"):
            if "$ref" in schema:
                schema = self._components["schemas"][schema["$ref"].rpartition("/")[2]]
            else:
                schema = schema["items"] if "items" in schema else schema["oneOf"][-1]
        return schema

    def violations(self, exchange: Exchange) -> list[Violation]:
        operation = self.operation(exchange)
        if operation is None:
            return [Violation(f"{exchange.method} {exchange.path}", "request", "no such operation in the description")]
        wrong = [("request", message) for message in self._request(operation, exchange)]
        wrong += [(f"response {exchange.status}", message) for message in self._response(operation, exchange)]
        return [Violation(operation.id, part, message) for part, message in wrong]

    def _request(self, operation: Operation, exchange: Exchange) -> list[str]:
        match = operation.pattern.fullmatch(_named(exchange.path))
        values = {name: unquote(value) for name, value in match.groupdict().items()} if match else {}
        wrong = self._values(operation.parameters("path"), values)
        wrong += self._values(operation.parameters("query"), dict(parse_qsl(exchange.query, keep_blank_values=True)))
        return wrong + self._sent(operation.body.get("requestBody"), exchange.sent)

    def _values(self, known: dict[str, Json], values: dict[str, str]) -> list[str]:
        wrong = [f"unknown parameter {name}" for name in values if name not in known]
        for name, parameter in known.items():
            if name in values:
                value = _typed(values[name], parameter["schema"])
                wrong += [f"parameter {name}: {each}" for each in self._errors(parameter["schema"], value)]
            elif parameter.get("required"):
                wrong.append(f"parameter {name} is missing")
        return wrong

    def _sent(self, expected: Json | None, sent: bytes) -> list[str]:
        if not sent:
            return ["the body is missing"] if expected and expected["required"] else []
        if expected is None:
            return ["has a body, the description knows none"]
        schema = expected["content"]["application/json"]["schema"]
        value = json.loads(sent)
        unknown = sorted(set(value) - set(schema["properties"])) if "properties" in schema else []
        return [f"unknown field {name}" for name in unknown] + self._errors(schema, value)

    def _response(self, operation: Operation, exchange: Exchange) -> list[str]:
        expected = operation.body["responses"].get(str(exchange.status))
        if expected is None:
            return ["the description does not know this status here"]
        media = expected.get("content", {}).get("application/json")
        if media is None:
            return ["has a body, the description knows none"] if exchange.received else []
        if not exchange.content_type.startswith("application/json"):
            return [f"content type {exchange.content_type!r} instead of application/json"]
        return self._errors(media["schema"], json.loads(exchange.received))

    def _errors(self, schema: Json, value: object) -> list[str]:
        validator = self._validators.get(id(schema))
        if validator is None:
            whole = {**schema, "components": self._components}
            validator = self._validators[id(schema)] = Draft202012Validator(whole, validate_formats=True)
        return [f"{_place(error.instance_path)}{error.message}"[:400] for error in validator.iter_errors(value)]


class Webhooks:
    """What GitHub says about the payloads that it sends."""

    def __init__(self, description: Json) -> None:
        self._components = description["components"]
        self._known = description["webhooks"]
        self._validators: dict[str, Validator] = {}

    def names(self) -> frozenset[str]:
        """As ``issues-opened``: event and action."""
        return frozenset(self._known)

    def errors(self, event: str, payload: Json) -> list[str]:
        name = "-".join((event, *([str(payload["action"])] if "action" in payload else []))).replace("_", "-")
        if name not in self._known:
            return [f"{name}: no such webhook in the description"]
        if name not in self._validators:
            schema = self._known[name]["content"]["application/json"]["schema"]
            whole = {**schema, "components": self._components}
            self._validators[name] = Draft202012Validator(whole, validate_formats=True)
        found = self._validators[name].iter_errors(payload)
        return [f"{name} {_place(error.instance_path)}{error.message}"[:400] for error in found]


@cache
def github() -> Contract:
    return Contract(json.loads(DESCRIPTION.read_text()))


@cache
def webhooks() -> Webhooks:
    return Webhooks(json.loads(WEBHOOKS.read_text()))


def _named(path: str) -> str:
    return NUMBERED.sub("/repos/by/id", path, count=1)


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    return re.compile("".join(_part(part) if at % 2 else re.escape(part) for at, part in enumerate(parts)))


def _part(name: str) -> str:
    return f"(?P<{name}>{SLASHED.get(name, '[^/]+')})"


def _matches(operation: Operation, exchange: Exchange) -> bool:
    return operation.method == exchange.method and operation.pattern.fullmatch(_named(exchange.path)) is not None


def _place(path: list[str | int]) -> str:
    return ".".join(map(str, path)) + ": " if path else ""


def _typed(value: str, schema: Json) -> object:
    """What a word in an address stands for."""
    if "integer" in _types(schema) and re.fullmatch(r"-?\d+", value):
        return int(value)
    if "boolean" in _types(schema) and value in {"true", "false"}:
        return value == "true"
    return value


def _types(schema: Json) -> list[str]:
    kinds = [schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())]
    return [str(kind.get("type")) for kind in kinds]


def _nullable(node: Any) -> Any:
    """OpenAPI 3.0 says ``nullable``, JSON Schema says so with a type, a value or an alternative."""
    if isinstance(node, list):
        return [_nullable(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = {key: _nullable(value) for key, value in node.items()}
    if node.get("nullable") is not True:
        return node
    del node["nullable"]
    if "enum" in node:
        node["enum"] = [*node["enum"], None]
    if isinstance(node.get("type"), str):
        return {**node, "type": [node["type"], "null"]}
    return {"anyOf": [node, {"type": "null"}]}
