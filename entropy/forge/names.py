"""Which names of owners, repositories, refs and commits are legal."""

import re

LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?(?:\[bot\])?")
REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}")
SHA = re.compile(r"[0-9a-f]{40}")
SHORT_SHA = re.compile(r"[0-9a-f]{4,40}")
_FORBIDDEN_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\\ufffd]|\.\.|@\{|//|\.lock(?:/|$)|(?:^|/)\.|\.$|/$|^/|^-|^@$")


def is_ref(name: str) -> bool:
    """As ``git check-ref-format --allow-onelevel`` would say, and safe as an argument."""
    return 0 < len(name) <= 240 and not _FORBIDDEN_IN_REF.search(name)


def is_sha(name: str) -> bool:
    return bool(SHA.fullmatch(name))


def is_repository(name: str) -> bool:
    return (
        bool(REPOSITORY.fullmatch(name)) and name not in {".", ".."} and not name.endswith((".git", ".wiki", ".lock"))
    )


def is_login(name: str) -> bool:
    return bool(LOGIN.fullmatch(name))
