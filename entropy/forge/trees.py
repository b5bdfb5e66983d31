"""Commits that are made without a work tree: files added, changed and deleted on top of another commit."""

import base64
import binascii
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from entropy.forge.gitrepo import GitRepository


class ChangesError(Exception):
    """These changes cannot be made; the message is one sentence."""


@dataclass(frozen=True)
class Changes:
    message: str
    additions: Mapping[str, bytes]
    """Contents by path."""
    deletions: tuple[str, ...]

    @classmethod
    def of(cls, files: Mapping[str, Any], message: Mapping[str, Any]) -> "Changes":
        """From GraphQL's FileChanges and CommitMessage; raises ChangesError."""
        headline, body = message.get("headline"), message.get("body")
        if not headline:
            raise ChangesError("A commit needs a headline.")
        additions = {str(one.get("path")): _content(one) for one in files.get("additions") or ()}
        deletions = tuple(str(one.get("path")) for one in files.get("deletions") or ())
        for path in (*additions, *deletions):
            if not _is_path(path):
                raise ChangesError(f"{path!r} is not a path of a file in a repository.")
        return cls(f"{headline}\n\n{body}" if body else str(headline), additions, deletions)


def _content(addition: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(str(addition.get("contents") or ""), validate=True)
    except binascii.Error:
        raise ChangesError(f"The contents of {addition.get('path')!r} are not Base64.") from None


def _is_path(path: str) -> bool:
    parts = path.split("/")
    return not any(part in {"", ".", "..", ".git"} or "\0" in part or "\n" in part for part in parts)


def commit_changes(git: GitRepository, parent: str, changes: Changes, *, author: str) -> str:
    """The new commit's sha; no ref is moved."""
    known = {entry[4]: entry[0] for path in changes.additions for entry in git.entries(parent, path)}
    gone = [path for path in changes.deletions if not git.entries(parent, path)]
    if gone:
        raise ChangesError(f"A path was requested for deletion which does not exist: {gone[0]}")
    lines = [f"0 {'0' * 40}\t{path}" for path in changes.deletions]
    for path, content in changes.additions.items():
        sha = git.run("hash-object", "-w", "--stdin", stdin=content).decode().strip()
        mode = known.get(path, "100644")
        lines.append(f"{mode if mode.startswith('100') else '100644'} {sha}\t{path}")
    with tempfile.TemporaryDirectory() as folder:
        tree = git.staged(Path(folder) / "index", parent, "\n".join(lines).encode())
    return git.commit_tree(tree, parents=(parent,), message=f"{changes.message}\n", author=author)
