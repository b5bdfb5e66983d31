"""What a patch brings in, read from the patch alone: for whoever has the patch and no repository."""

import base64
import re
import zlib
from collections.abc import Iterator

from entropy.errors import PolicyViolation
from entropy.repository.additions import LIMIT, Addition

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_FILE = re.compile(rb"diff --git (.*)")
_BINARY = re.compile(rb"(?:literal|delta) \d+")
_SHORT, _LONG = ord("A") - 1, ord("a") - 27
"""What the letter before a line of a binary hunk counts from: A is 1 byte, Z 26, a 27, z 52."""
LARGE = f"The change is larger than the {LIMIT // 2**20} MiB that are searched for secrets; make smaller ones."


def gains(patch: bytes) -> list[Addition]:
    """The lines that git's own patch adds and the names of its files, as line 0; of binary files what is new in them.

    Raises `PolicyViolation` for a binary file that cannot be read, and where it is more than 16 MiB in all.
    """
    return list(_PatchReader(patch).additions())


class _PatchReader:
    def __init__(self, patch: bytes) -> None:
        self._lines = iter(patch.split(b"\n"))
        self._left = LIMIT

    def additions(self) -> Iterator[Addition]:
        path = ""
        for line in self._lines:
            if named := _FILE.match(line):
                path = named[1].decode("utf-8", "replace")
                yield Addition(path, 0, path)
            elif hunk := _HUNK.match(line):
                yield from self._hunk(path, int(hunk[1] or 1), int(hunk[2]), int(hunk[3] or 1))
            elif line == b"GIT binary patch":
                yield from self._binary(path)

    def _hunk(self, path: str, old: int, number: int, new: int) -> Iterator[Addition]:
        """By its counts: what stands in a file may look like a header."""
        while old > 0 or new > 0:
            line = next(self._lines, None)
            if line is None:
                return
            if line.startswith(b"+"):
                yield Addition(path, number, line[1:].decode("utf-8", "replace"))
            old -= not line.startswith((b"+", b"\\"))
            new -= not line.startswith((b"-", b"\\"))
            number += not line.startswith((b"-", b"\\"))

    def _binary(self, path: str) -> Iterator[Addition]:
        """The first of its two halves; the other is the way back."""
        if not _BINARY.fullmatch(next(self._lines, b"")):
            raise PolicyViolation(f"The patch of {path} cannot be read.")
        packed = b"".join(self._packed(path))
        inflate = zlib.decompressobj()
        try:
            content = inflate.decompress(packed, self._left + 1)
        except zlib.error:
            raise PolicyViolation(f"The patch of {path} cannot be read.") from None
        self._left -= len(content)
        if self._left < 0:
            raise PolicyViolation(LARGE)
        for number, line in enumerate(content.split(b"\n"), 1):
            yield Addition(path, number, line.decode("utf-8", "replace"))

    def _packed(self, path: str) -> Iterator[bytes]:
        while line := next(self._lines, b""):
            size = line[0] - (_SHORT if line[0] <= ord("Z") else _LONG)
            try:
                yield base64.b85decode(line[1:])[:size]
            except ValueError:
                raise PolicyViolation(f"The patch of {path} cannot be read.") from None
