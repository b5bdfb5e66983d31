"""Reads what a test command printed: which tests failed, why, and through which lines."""

import posixpath
import re
from typing import NamedTuple

_PYTEST_HEADER = re.compile(r"^_+ (?!_ )(\S.*?) _+$", re.MULTILINE)
_UNITTEST_HEADER = re.compile(r"^=+\n(?:FAIL|ERROR): (.+)$", re.MULTILINE)
_SECTION_END = re.compile(r"^(?:=+ .+ =+|-+ Captured .+ -+|-+\nRan \d+ tests? in .+)$", re.MULTILINE)
_WARNINGS = re.compile(r"^=+ warnings summary.* =+$", re.MULTILINE)
_SUMMARY = re.compile(r"^(?:FAILED|ERROR) (\S+?::.+?|\S+)(?: - .*)?$", re.MULTILINE)
_REASON = re.compile(r"^E\s+(\S.*)$", re.MULTILINE)
_ERROR_LINE = re.compile(r"^(?:.*: )?((?:\w+\.)*\w*(?:Error|Exception|Failure)\b.*)$", re.MULTILINE)
_FRAME = re.compile(
    r"""
      ^\ *File\ "(?P<traced>[^"\n]+)",\ line\ (?P<traced_line>\d{1,7})
    | ^(?P<path>[^\s:][^:\n]*):(?P<line>\d{1,7}):(?=\s|$)
    """,
    re.VERBOSE | re.MULTILINE,
)
_LOOSE_FRAME = re.compile(r"(?<![\w./-])(?P<path>[\w./-]+\.\w+):(?P<line>\d{1,7})\b")


class Frame(NamedTuple):
    """A line of code in a traceback."""

    path: str
    """Relative to the tree's root."""
    line: int


class Failure(NamedTuple):
    """One failing test, as far as the output tells."""

    tests: tuple[str, ...]
    """One name; several or none where the output does not say which text belongs to which test."""
    reason: str
    """The assertion or the error; empty when there is none to see."""
    frames: tuple[Frame, ...]
    """From the outermost call to the innermost."""


def read_failures(output: str, *, root: str) -> tuple[Failure, ...]:
    """Understands pytest's and unittest's reports, and ``path:line`` of any other. `root` is the tree's folder."""
    names: tuple[str, ...] = tuple(dict.fromkeys(_SUMMARY.findall(output)))
    # Pytest titles a report TestBasket.test_total and sums up tests/test_basket.py::TestBasket::test_total.
    titles: dict[str, str] = {name.partition("::")[2].replace("::", "."): name for name in reversed(names)}
    for header in (_PYTEST_HEADER, _UNITTEST_HEADER):
        headers = list(header.finditer(output))
        if headers:
            ends = [match.start() for match in headers[1:]] + [len(output)]
            reports = [
                _before(_SECTION_END, output[match.end() : end]) for match, end in zip(headers, ends, strict=True)
            ]
            return tuple(
                Failure((titles.get(match[1], match[1]),), _reason(report), _frames(report, root))
                for match, report in zip(headers, reports, strict=True)
            )
    report = _before(_WARNINGS, output)
    return (Failure(names, _reason(report), _frames(report, root)),) if report.strip() else ()


def _before(end: re.Pattern[str], text: str) -> str:
    match = end.search(text)
    return text[: match.start()] if match else text


def _reason(report: str) -> str:
    match = _REASON.search(report) or _ERROR_LINE.search(report)
    return match[1].strip() if match else ""


def _frames(text: str, root: str) -> tuple[Frame, ...]:
    found = [
        (match["traced"] or match["path"], match["traced_line"] or match["line"]) for match in _FRAME.finditer(text)
    ]
    found = found or [(match["path"], match["line"]) for match in _LOOSE_FRAME.finditer(text)]
    return tuple(Frame(_relative(path, root), int(line)) for path, line in found)


def _relative(path: str, root: str) -> str:
    path = posixpath.normpath(path)
    return posixpath.relpath(path, root) if path.startswith(root.rstrip("/") + "/") else path
