"""The hidden first line by which Entropy finds its own comments and reviews again."""

LIMIT = 65_000
"""Characters; GitHub refuses bodies above 65,536."""


def marked(marker: str, body: str) -> str:
    """`body`, cut to what the forge takes, behind a hidden line; `marker` is a name like ``entropy:notice``."""
    return f"{_line(marker)}\n{fit(body)}"


def bears(marker: str, body: str | None) -> bool:
    # Only the first line counts: the rest may be an agent's text, which could quote another marker.
    return (body or "").lstrip().partition("\n")[0].strip() == _line(marker)


def same(left: str | None, right: str) -> bool:
    return _plain(left or "") == _plain(right)


def fit(body: str) -> str:
    return body if len(body) <= LIMIT else f"{body[:LIMIT]}\n\n*(cut: longer than the forge takes)*"


def _line(marker: str) -> str:
    return f"<!-- {marker} -->"


def _plain(body: str) -> str:
    return body.replace("\r\n", "\n").strip()
