"""The scan for secrets in what is published: by what they look like, and by the values that this process knows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from entropy.lifecycle.disguises import betrayed
from entropy.logging.redaction import Redaction

OURS = "a secret of this installation"
WITHHELD = "*(left out: it held {kind})*"
GONE = "***"
WINDOW, OVERLAP = 1024, 256
"""Characters looked at in one go: on a long line of an attacker's, some patterns take the square of its length."""

PATTERNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
        "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
        "a key for a model": re.compile(r"\b(?:sk-(?:ant|proj|svcacct|admin)-|hf_)[A-Za-z0-9_-]{30,}"),
        "a Google key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"),
        "a PyPI token": re.compile(r"\bpypi-AgE[A-Za-z0-9_-]{50,}"),
        "a Vault token": re.compile(r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}"),
        "an Azure key": re.compile(r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
        "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    }
)
OPENERS = frozenset({"a private key"})
"""Patterns that only find where a secret begins."""


class Hit(NamedTuple):
    """A secret, by what kind of it is where; never the secret itself."""

    line: int
    """Index into the lines that were scanned."""
    kind: str


def scan(lines: Sequence[str]) -> list[Hit]:
    """At most one hit a line."""
    hits = {number: Hit(number, kind) for number, line in enumerate(lines) for kind, _ in _alike(line)}
    hits |= {number: Hit(number, OURS) for number in betrayed(lines, Redaction.values())}
    return [hits[number] for number in sorted(hits)]


def cleansed(text: str) -> tuple[str, frozenset[str]]:
    """The text without the secrets in it, or a note in its place where they cannot be cut out; and of which kinds."""
    kinds = set[str]()
    for value in sorted(Redaction.values(), key=len, reverse=True):
        if value in text:
            text, kinds = text.replace(value, GONE), kinds | {OURS}
    for kind, secret in sorted({found for line in text.splitlines() for found in _alike(line)}):
        kinds.add(kind)
        text = WITHHELD.format(kind=kind) if kind in OPENERS else text.replace(secret, GONE)
    if next(betrayed(text.splitlines(), Redaction.values()), None) is not None:
        return WITHHELD.format(kind=OURS), frozenset(kinds | {OURS})
    return text, frozenset(kinds)


def _alike(line: str) -> Iterator[tuple[str, str]]:
    """What on the line looks like a secret, by kind."""
    for window in _windows(line.replace("\0", "")):
        for kind, pattern in PATTERNS.items():
            yield from ((kind, found[0]) for found in pattern.finditer(window))


def _windows(line: str) -> Iterable[str]:
    if len(line) <= WINDOW:
        return (line,)
    return (line[at : at + WINDOW] for at in range(0, len(line) - OVERLAP, WINDOW - OVERLAP))
