"""JSON request bodies: read without trust, field by field."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from entropy.forge.refusals import Refusal, invalid

MAX_BODY = 4 * 1024 * 1024
MAX_TEXT = 65536
"""GitHub's limit for the text of an issue, comment or review, in characters."""


@dataclass(frozen=True)
class Body:
    """The parsed body; a missing one is empty."""

    value: Any
    resource: str = "Request"

    @property
    def fields(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise Refusal(422, "Invalid request.\n\nThe body must be a JSON object.")
        return self.value

    def of(self, resource: str) -> "Body":
        """The same body, with the name that errors give to what it describes."""
        return Body(self.value, resource)

    def has(self, name: str) -> bool:
        return name in self.fields

    def text(self, name: str, *, limit: int = MAX_TEXT) -> str | None:
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > limit:
            raise invalid(self.resource, name)
        return value

    def required(self, name: str, *, limit: int = MAX_TEXT) -> str:
        """Text with something in it."""
        value = self.text(name, limit=limit)
        if value is None:
            raise invalid(self.resource, name, "missing_field")
        if not value.strip():
            raise invalid(self.resource, name, "missing")
        return value

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        value = self.text(name)
        if value is None:
            return default
        if value not in allowed:
            raise invalid(self.resource, name)
        return value

    def flag(self, name: str) -> bool:
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            raise invalid(self.resource, name)
        return bool(value)

    def number(self, name: str) -> int | None:
        value = self.fields.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**31):
            raise invalid(self.resource, name)
        return value

    def texts(self, name: str, *, limit: int = 50) -> list[str]:
        return self.listed(self.fields.get(name), name, limit=limit)

    def listed(self, value: object, name: str, *, limit: int = 50) -> list[str]:
        """`value` as names, without doubles; GitHub takes labels as text or as objects with a name."""
        if value is None:
            return []
        entries = [value] if isinstance(value, str) else value
        if not isinstance(entries, list) or len(entries) > 100:
            raise invalid(self.resource, name)
        found = (entry.get("name") if isinstance(entry, dict) else entry for entry in entries)
        names = [text for text in found if isinstance(text, str) and text.strip() and len(text) <= limit]
        if len(names) < len(entries):
            raise invalid(self.resource, name)
        return list(dict.fromkeys(names))

    def parts(self, name: str) -> list["Body"]:
        value = self.fields.get(name) or []
        if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
            raise invalid(self.resource, name)
        return [Body(part, self.resource) for part in value]


def parse(raw: bytes) -> Body:
    if not raw.strip():
        return Body({})
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate passes the parser and nothing after it
    except (ValueError, RecursionError):
        raise Refusal(400, "Problems parsing JSON") from None
    return Body(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
