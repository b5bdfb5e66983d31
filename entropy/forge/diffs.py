"""What a unified diff says: which files changed, and on which of their lines a comment can stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from entropy.forge.gitrepo import GitRepository

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}


@dataclass(frozen=True)
class ChangedFile:
    path: str
    previous: str | None
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str
    """From the first hunk on; empty for a binary file."""


@dataclass(frozen=True)
class Place:
    """Where a line of a file stands in its patch."""

    position: int
    """Lines below the first hunk header, GitHub's old way to name a line."""
    hunk: str
    """The hunk down to the line."""


def changed_files(git: GitRepository, base: str, head: str) -> list[ChangedFile]:
    raw = git.diff(base, head, "--raw", "-z", "--no-abbrev").decode("utf-8", "replace")
    patches = iter(_patches(git.diff(base, head).decode("utf-8", "replace")))
    # A file that becomes a link is one change and two patches: one that takes away, one that adds.
    return [_changed(facts, "\n".join(islice(patches, 2 if facts[0] == "T" else 1))) for facts in _facts(raw)]


def _facts(raw: str) -> Iterator[tuple[str, str, str, str | None]]:
    """Status letter, sha, path and previous path of each changed file."""
    fields = iter(raw.split("\0"))
    for field in fields:
        if not field.startswith(":"):
            continue
        _, _, old, new, letter = field.split(" ")
        first = next(fields)
        if letter[0] in "RC":
            yield letter[0], new, next(fields), first
        else:
            yield letter[0], old if letter[0] == "D" else new, first, None


def _patches(diff: str) -> list[str]:
    """The hunks of each file, in the order of the diff."""
    patches = []
    for section in re.split(r"^diff --git .*\n", diff, flags=re.MULTILINE)[1:]:
        start = re.search(r"^@@ ", section, flags=re.MULTILINE)
        patches.append(section[start.start() :].rstrip("\n") if start else "")
    return patches


def _changed(facts: tuple[str, str, str, str | None], patch: str) -> ChangedFile:
    letter, sha, path, previous = facts
    lines = patch.split("\n")
    return ChangedFile(
        path=path,
        previous=previous,
        status=_STATUS.get(letter, "changed"),
        sha=sha,
        additions=sum(line.startswith("+") for line in lines),
        deletions=sum(line.startswith("-") for line in lines),
        patch=patch,
    )


def places(patch: str) -> dict[tuple[str, int], Place]:
    """Every (side, line) that a comment can name."""
    found: dict[tuple[str, int], Place] = {}
    old = new = 0
    hunk: list[str] = []
    for position, line in enumerate(patch.split("\n")):
        header = _HUNK.match(line)
        if header:
            old, new, hunk = int(header[1]), int(header[2]), [line]
            continue
        hunk.append(line)
        sides = {"+": ("RIGHT",), "-": ("LEFT",), " ": ("LEFT", "RIGHT")}.get(line[:1], ())
        for side in sides:
            found[side, old if side == "LEFT" else new] = Place(position, "\n".join(hunk))
        old += "LEFT" in sides
        new += "RIGHT" in sides
    return found
