"""What a commit adds, line by line, read from git's own diff of it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from entropy.errors import PolicyViolation
from entropy.repository.git import Git

LIMIT = 16 * 1024 * 1024
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_DIFF = (
    "diff-tree",
    "-p",
    "-U0",
    "--text",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-prefix",
)


class Addition(NamedTuple):
    """A line of the new side."""

    path: str
    number: int
    text: str


def additions(git: Git, commit: str) -> list[Addition]:
    """Against the commit's first parent, binary files as text; more than 16 MiB are a `PolicyViolation`."""
    diff = git.read("-c", "core.quotePath=false", *_DIFF, f"{commit}^1", commit, limit=LIMIT)
    if len(diff) > LIMIT:
        raise PolicyViolation(
            f"The change is larger than the {LIMIT // 2**20} MiB that are searched for secrets; make smaller ones."
        )
    return list(_read(diff))


def _read(diff: bytes) -> Iterator[Addition]:
    """By the counts of each hunk: what stands in a file may look like a header."""
    path, number, removed, added = "", 0, 0, 0
    for line in diff.split(b"\n"):
        if removed and line.startswith(b"-"):
            removed -= 1
        elif added and line.startswith(b"+"):
            yield Addition(path, number, line[1:].decode("utf-8", "replace"))
            number, added = number + 1, added - 1
        elif hunk := _HUNK.match(line):
            removed, number, added = int(hunk[1] or 1), int(hunk[2]), int(hunk[3] or 1)
        elif line.startswith(b"+++ "):
            path = line[4:].decode("utf-8", "replace").rstrip("\t").strip('"')
