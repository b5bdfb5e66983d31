"""Redaction: values that this process knows to be secret, and the shapes of tokens, never reach a log line."""

import re
from typing import ClassVar

SHAPES = re.compile(
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|(?:hvs|hvb|s)\.[A-Za-z0-9_-]{20,}"
    r"|(?i:(?<=authorization: )\S+ \S+)|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?i:(?<=[?&]sig=)|(?<=[?&]X-Amz-Signature=))[^\s&\"'\\]+"  # of an address that is a credential by itself
)
SHORTEST = 6


class Redaction:
    """The secrets of this process."""

    _values: ClassVar[set[str]] = set()

    @classmethod
    def register(cls, value: str) -> None:
        """Take this value out of every later line. Very short values are left alone: they would blank the log."""
        if len(value) >= SHORTEST:
            cls._values.add(value)

    @classmethod
    def values(cls) -> frozenset[str]:
        """For whoever looks for them in other forms than their own."""
        return frozenset(cls._values)

    @classmethod
    def apply(cls, line: str) -> str:
        for value in cls._values:
            line = line.replace(value, "***")
        return SHAPES.sub("***", line)
