"""Which lines of a file a pull request's diff shows: the forge takes inline remarks on those only."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from entropy.models import Finding

HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def shown_lines(files: Iterable[dict[str, Any]]) -> dict[str, frozenset[int]]:
    """Per path the lines of the new side; a file without a patch (binary, too large) shows none."""
    return {file["filename"]: frozenset(_new_side(file.get("patch") or "")) for file in files}


def split(
    findings: Iterable[Finding], shown: dict[str, frozenset[int]]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Findings at lines that the diff shows, and the others."""
    inside: list[Finding] = []
    outside: list[Finding] = []
    for finding in findings:
        (inside if finding.line in shown.get(finding.path, ()) else outside).append(finding)
    return tuple(inside), tuple(outside)


def _new_side(patch: str) -> Iterator[int]:
    line = 0
    for text in patch.split("\n"):
        if hunk := HUNK.match(text):
            line = int(hunk[1])
        elif text.startswith(("+", " ")):
            yield line
            line += 1
