"""Which paths a change may touch: globs, and the names that git or the forge give a meaning of their own."""

import re
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

PROTECTED = (
    ".github/workflows/**",
    ".github/actions/**",
    ".entropy.toml",
    "CODEOWNERS",
    ".github/CODEOWNERS",
    "docs/CODEOWNERS",
)
"""What decides who may do what; an agent's change never touches it. Compared without regard to case."""

# These steer git itself, and Windows knows `.git` as `git~1`; `.gitignore` and `.github` are names like others.
_GIT_NAMES = re.compile(r"\.git(modules|attributes|config)?|git~\d+")
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


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
    return matches(path.casefold(), [glob.casefold() for glob in globs])


def is_gits_own(path: str) -> bool:
    """Whether a part of the path means something to git on any file system."""
    return any(_GIT_NAMES.fullmatch(part.split(":")[0].rstrip(" .").lower()) for part in re.split(r"[/\\]", path))


def is_printable(path: str) -> bool:
    """No control characters, and none of the invisible ones that make a name look like another."""
    return not any(unicodedata.category(character) in _UNPRINTABLE for character in path)
