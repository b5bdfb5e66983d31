"""Which paths a change may touch: globs, and the names that git or the forge give a meaning of their own."""

import re
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

FORBIDDEN = (".github/workflows/**", ".github/actions/**")
"""What runs with the rights of the repository; an agent's change never touches it."""

# These steer git itself, also by Windows' short names for them; `.gitignore` and `.github` are names like others.
_GIT_NAMES = re.compile(r"\.git(modules|attributes|config)?|git(mod|att)?~\d+|gi7(e|eb|eba|d|d2|d29)~\d+")
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""What shows nothing, or nothing by itself, besides what is not printable."""


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether one of the globs covers the path; ``*`` stays within a folder, ``**`` as a whole part crosses folders."""
    names = tuple(path.split("/"))
    return any(_match(names, tuple(glob.split("/"))) for glob in globs)


@lru_cache(maxsize=16_384)
def _match(names: tuple[str, ...], globs: tuple[str, ...]) -> bool:
    if not globs or not names:
        return not globs and not names
    if globs[0] == "**":
        return len(globs) == 1 or _match(names, globs[1:]) or _match(names[1:], globs)
    return fnmatchcase(names[0], globs[0]) and _match(names[1:], globs[1:])


def is_protected(path: str, globs: Iterable[str]) -> bool:
    """Whether one of the globs covers the path, or another one that some file system or reader takes for it."""
    return matches("/".join(_taken_for(path)), [_folded(glob) for glob in globs])


def is_gits_own(path: str) -> bool:
    """Whether a part of the path means something to git on any file system."""
    return any(_GIT_NAMES.fullmatch(part) for part in _taken_for(path))


def _taken_for(path: str) -> list[str]:
    """The parts of the path as Windows and macOS read them: streams and trailing dots are no part of a name."""
    return [part.split(":")[0].rstrip(" .") for part in re.split(r"[/\\]", _folded(path))]


def _folded(text: str) -> str:
    """Without regard to case, to how a letter is written, and to what is not seen."""
    seen = (character for character in _BLANK.sub("", text) if unicodedata.category(character) not in _UNPRINTABLE)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", "".join(seen)).casefold())


def is_printable(path: str) -> bool:
    """No control characters, and none of the invisible ones that make a name look like another."""
    return not any(unicodedata.category(character) in _UNPRINTABLE for character in path)
