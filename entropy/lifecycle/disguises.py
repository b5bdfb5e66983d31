"""Secrets that this process knows, found again however they are spelt: encoded, turned round, split, or in part."""

import base64
import codecs
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import quote

GRAM = 16
"""So many letters and digits in a row betray a secret; of a shorter one, all of them do."""
SHORTEST = 8
_ARMOUR = re.compile(r"-----[A-Z ]+-----")
_SEPARATION = re.compile(r"[^a-z0-9]+")


def betrayed(lines: Sequence[str], values: frozenset[str]) -> Iterator[int]:
    """The indices of lines, ascending, at which a value comes to light. Line ends and signs do not hide it."""
    grams, short = _betrayals(values)
    if not grams and not short:
        return
    bare = [_bare(line) for line in lines]
    text, lengths = "".join(bare), sorted({len(each) for each in short})
    at, end = 0, 0
    for index, line in enumerate(bare):
        start, end = end, end + len(line)
        at = max(at, start)
        while at < end:
            if text[at : at + GRAM] in grams or any(text[at : at + length] in short for length in lengths):
                yield index
                at = end - 1
            at += 1


@lru_cache(maxsize=4)
def _betrayals(values: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    grams, short = set[str](), set[str]()
    for value in values:
        plain = _ARMOUR.sub("", value)
        if len(_bare(plain)) < SHORTEST:
            continue
        for form in _spellings(plain):
            for bare in (_bare(form), _bare(form)[::-1]):
                if len(bare) < GRAM:
                    short.add(bare)
                grams.update(bare[at : at + GRAM] for at in range(len(bare) - GRAM + 1))
    return frozenset(grams), frozenset(short)


def _spellings(value: str) -> Iterator[str]:
    data = value.encode()
    yield from (value, codecs.encode(value, "rot13"), quote(value, safe=""), data.hex())
    # What a dump or a program writes: 0x67, \x67, 103, 147.
    yield from ("".join(pattern.format(byte) for byte in data) for pattern in ("0x{:02x}", "x{:02x}", "{:d}", "{:o}"))
    for before in range(3):  # by what stands before it; what its neighbours have a part in is left out
        yield base64.b64encode(bytes(before) + data).decode()[(0, 2, 3)[before] :].rstrip("=")[:-1]
    for before in range(5):
        yield base64.b32encode(bytes(before) + data).decode()[(0, 2, 4, 5, 7)[before] :].rstrip("=")[:-1]


def _bare(text: str) -> str:
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _SEPARATION.sub("", plain.lower())
