"""The scan for secrets in what is published: by what they look like, and by the values that this process knows."""

from collections.abc import Sequence
from typing import NamedTuple

from entropy.lifecycle.disguises import betrayed
from entropy.lifecycle.shapes import OPENERS, alike
from entropy.logging.redaction import Redaction

OURS = "a secret of this installation"
WITHHELD = "*(left out: it held {kind})*"
GONE = "***"


class Hit(NamedTuple):
    """A secret, by what kind of it is where; never the secret itself."""

    line: int
    """Index into the lines that were scanned."""
    kind: str


def scan(lines: Sequence[str]) -> list[Hit]:
    """At most one hit a line."""
    hits = {number: Hit(number, kind) for number, line in enumerate(lines) for kind, _ in alike(line)}
    hits |= {number: Hit(number, OURS) for number in betrayed(lines, Redaction.values())}
    return [hits[number] for number in sorted(hits)]


def cleansed(text: str) -> tuple[str, frozenset[str]]:
    """The text without the secrets in it, or a note in its place where they cannot be cut out; and of which kinds."""
    kinds = set[str]()
    for value in sorted(Redaction.values(), key=len, reverse=True):
        if value in text:
            text, kinds = text.replace(value, GONE), kinds | {OURS}
    for kind, secret in sorted({found for line in text.splitlines() for found in alike(line)}):
        kinds.add(kind)
        text = WITHHELD.format(kind=kind) if kind in OPENERS else text.replace(secret, GONE)
    if next(betrayed(text.splitlines(), Redaction.values()), None) is not None:
        return WITHHELD.format(kind=OURS), frozenset(kinds | {OURS})
    return text, frozenset(kinds)
