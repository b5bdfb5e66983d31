"""The hidden first line by which Entropy finds its own comments and reviews again."""

import re

MARKER = re.compile(r"<!-- (entropy:[^ ]+) -->")
LIMIT = 65_000
"""Characters; GitHub refuses bodies above 65,536."""


def marked(marker: str, body: str) -> str:
    """`body`, cut to what the forge takes, behind a hidden line; `marker` is a name like ``entropy:notice``."""
    return f"{_line(marker)}\n{fit(body)}"


def bears(marker: str, body: str | None) -> bool:
    # Only the first line counts: the rest may be an agent's text, which could quote another marker.
    return (body or "").lstrip().partition("\n")[0].strip() == _line(marker)


def marker_of(body: str) -> str | None:
    """The marker in the first line, if it is one of ours."""
    found = MARKER.fullmatch(body.lstrip().partition("\n")[0].strip())
    return found[1] if found else None


def same(left: str | None, right: str) -> bool:
    return _plain(left or "") == _plain(right)


def fit(body: str) -> str:
    return body if len(body) <= LIMIT else f"{body[:LIMIT]}\n\n*(cut: longer than the forge takes)*"


def _line(marker: str) -> str:
    return f"<!-- {marker} -->"


def _plain(body: str) -> str:
    return body.replace("\r\n", "\n").strip()
