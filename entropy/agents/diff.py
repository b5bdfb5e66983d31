"""Which lines of the new side a unified diff shows: a review can only speak about these."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_PROSE = {".adoc", ".md", ".rst", ".txt"}
_TEST_FOLDERS = {"test", "tests", "testing", "spec", "specs", "__tests__"}
_TEST_FILE = re.compile(r"test_.*|.*_test\.[^.]+|.*\.(test|spec)\.[^.]+|conftest\.py", re.IGNORECASE)


class TouchedFile(NamedTuple):
    """A file that is there after the change; line numbers from 1."""

    path: str
    added: tuple[int, ...]
    """Lines that the change adds or rewrites."""
    shown: tuple[int, ...]
    """All lines in the diff's hunks: the added ones and those around them."""

    @property
    def is_prose(self) -> bool:
        return PurePosixPath(self.path).suffix.lower() in _PROSE

    @property
    def is_test(self) -> bool:
        path = PurePosixPath(self.path)
        return bool(_TEST_FOLDERS.intersection(path.parts[:-1]) or _TEST_FILE.fullmatch(path.name))


def changed_files(diff: str) -> tuple[TouchedFile, ...]:
    """Read a diff as git writes it with its default prefixes. A diff that was cut short is read as far as it goes."""
    # Not splitlines(): that would also split at form feeds and the like inside a line.
    lines = iter(diff.split("\n"))
    numbers: dict[str, list[tuple[str, int]]] = {}
    path: str | None = None
    for line in lines:
        if line.startswith("diff --git "):
            path = None
        elif line.startswith("+++ "):
            path = _new_path(line[4:])
        elif path is not None and (header := _HUNK.match(line)):
            numbers.setdefault(path, []).extend(_hunk(header, lines))
    return tuple(
        TouchedFile(path, tuple(n for mark, n in marked if mark == "+"), tuple(n for _, n in marked))
        for path, marked in numbers.items()
    )


def _hunk(header: re.Match[str], lines: Iterator[str]) -> Iterator[tuple[str, int]]:
    """Mark and number of each line on the new side; takes them from `lines`, since they may look like headers."""
    number, left = int(header[1]), int(header[2] or 1)
    while left > 0:
        mark = next(lines, "")[:1]
        if mark in ("+", " "):
            yield mark, number
            number, left = number + 1, left - 1
        elif mark not in ("-", "\\"):
            return


def _new_path(name: str) -> str | None:
    """The path in a ``+++`` line; None when the file is deleted. Git ends names that hold spaces with a tab."""
    name = name.rstrip("\r").removesuffix("\t")
    if name.startswith('"') and name.endswith('"'):
        name = _ESCAPE.sub(_unescape, name[1:-1].encode()).decode(errors="replace")
    return None if name == "/dev/null" else name.removeprefix("b/")


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _LETTERS.get(code, code)
