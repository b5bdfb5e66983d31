"""A diff as people read it: numbered lines, with what reviewers said at the line where they said it."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from entropy.forge.diffs import ChangedFile

FOLD = 400
"""Lines above which a file's diff is folded."""
CUT = 3000
"""Lines of one file that are shown at most."""
WHOLE = 12000
"""Lines of all files that are shown at most."""
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_KINDS = {"+": "added", "-": "removed", " ": "context"}

Remarks = Sequence[sqlite3.Row]


@dataclass(frozen=True)
class DiffLine:
    kind: str
    """added, removed, context, hunk or note."""
    old: int | None
    new: int | None
    text: str
    remarks: Remarks = ()

    @property
    def sign(self) -> str:
        return {"added": "+", "removed": "-"}.get(self.kind, "")

    @property
    def places(self) -> list[tuple[str, int]]:
        """As a review comment names them."""
        sides = (("LEFT", self.old), ("RIGHT", self.new))
        return [(side, number) for side, number in sides if number is not None]


@dataclass(frozen=True)
class FileDiff:
    file: ChangedFile
    lines: Sequence[DiffLine]
    hidden: int
    """Lines beyond those shown."""

    @property
    def folded(self) -> bool:
        return len(self.lines) > FOLD and not any(line.remarks for line in self.lines)


def diff_lines(patch: str) -> list[DiffLine]:
    """A patch from its first hunk header on."""
    lines, old, new = [], 0, 0
    for text in patch.split("\n") if patch else ():
        header = _HUNK.match(text)
        kind = _KINDS.get(text[:1], "note")
        if header:
            old, new = int(header[1]), int(header[2])
            lines.append(DiffLine("hunk", None, None, text))
        elif kind == "note":
            lines.append(DiffLine("note", None, None, text.removeprefix("\\ ")))
        else:
            numbers = (old if kind != "added" else None), (new if kind != "removed" else None)
            lines.append(DiffLine(kind, *numbers, text[1:]))
            old, new = old + (kind != "added"), new + (kind != "removed")
    return lines


def file_diffs(files: Iterable[ChangedFile], remarks: Remarks = ()) -> list[FileDiff]:
    shown, room = [], WHOLE
    for file in files:
        lines = diff_lines(file.patch)
        kept = lines[: min(CUT, room)]
        room -= len(kept)
        said = [remark for remark in remarks if remark["path"] == file.path]
        shown.append(FileDiff(file, _remarked(kept, said), len(lines) - len(kept)))
    return shown


def _remarked(lines: Sequence[DiffLine], remarks: Remarks) -> list[DiffLine]:
    """A remark on an earlier commit stands here as well while its line still reads the same."""
    at = defaultdict[tuple[str, int], list[sqlite3.Row]](list)
    for remark in remarks:
        at[remark["side"], remark["line"]].append(remark)
    return [_with(line, [said for place in line.places for said in at[place]]) for line in lines]


def _with(line: DiffLine, remarks: Remarks) -> DiffLine:
    fitting = [said for said in remarks if [last.text for last in excerpt(said["hunk"], 1)] == [line.text]]
    return DiffLine(line.kind, line.old, line.new, line.text, fitting) if fitting else line


def excerpt(hunk: str, length: int = 4) -> list[DiffLine]:
    """The end of a hunk: the line that a remark is about, and some before it."""
    return [line for line in diff_lines(hunk) if line.kind not in {"hunk", "note"}][-length:]
