"""From a patch that nobody vouches for to a commit: applied to a throw-away index, inspected, never checked out."""

import tempfile
from pathlib import Path
from typing import NamedTuple

from entropy.errors import PolicyViolation
from entropy.models import Identity, Noun
from entropy.repository.git import Git
from entropy.repository.paths import FORBIDDEN, is_gits_own, is_printable, is_protected, matches

_REGULAR = {"100644", "100755"}
_DELETED = "000000"


class PatchRules(Noun):
    """What a change may be."""

    paths: tuple[str, ...] = ("**",)
    """Globs; every path of the change has to be covered by one."""
    max_files: int
    forbidden: tuple[str, ...] = FORBIDDEN


class Touched(NamedTuple):
    """One path that differs from the base, with its file mode afterwards."""

    path: bytes
    mode: str


def write_tree(git: Git, base: str, patch: bytes, rules: PatchRules) -> str:
    """The tree that the patch makes of `base`; `PolicyViolation` where it does not apply or breaks a rule."""
    if not patch.strip():
        raise PolicyViolation("The patch is empty, so there is nothing to publish.")
    with tempfile.TemporaryDirectory(prefix="entropy-index-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.read("read-tree", base, environment=index)
        answer = git.run("apply", "--cached", "--whitespace=nowarn", "-", stdin=patch, environment=index)
        if answer.status:
            raise PolicyViolation(f"The patch does not apply to {base[:12]}: {answer.error}.")
        listing = git.read("diff-index", "--cached", "--raw", "-z", "--no-renames", base, environment=index)
        inspect(touched(listing), rules)
        return git.read("write-tree", environment=index).decode().strip()


def commit_tree(git: Git, tree: str, base: str, *, message: str, identity: Identity, when: float) -> str:
    """A commit of `tree` on `base`; `when` in seconds since the epoch. The same arguments give the same commit."""
    date = f"@{int(when)} +0000"
    signature = {
        f"GIT_{part}_{field}": value
        for part in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", identity.name or identity.login), ("EMAIL", identity.email), ("DATE", date))
    }
    arguments = ("commit-tree", tree, "-p", base, "-F", "-")
    return git.read(*arguments, stdin=message.encode(), environment=signature).decode().strip()


def touched(listing: bytes) -> list[Touched]:
    """Read what ``git diff-index --raw -z`` prints."""
    fields = listing.split(b"\0")
    return [
        Touched(path=path, mode=facts.split(b" ")[1].decode())
        for facts, path in zip(fields[0::2], fields[1::2], strict=False)
    ]


def inspect(changes: list[Touched], rules: PatchRules) -> None:
    """Raise `PolicyViolation` with one sentence about the first rule that is broken."""
    if not changes:
        raise PolicyViolation("The patch changes nothing, so there is nothing to publish.")
    if len(changes) > rules.max_files:
        raise PolicyViolation(f"The change touches {len(changes)} files; at most {rules.max_files} are allowed.")
    _refuse([change.path for change in changes if not _is_name(change.path)], "file names must be printable UTF-8")
    _refuse(
        [change.path for change in changes if not _is_regular(change)], "only regular files may be added or changed"
    )
    paths = [change.path.decode() for change in changes]
    _refuse([path for path in paths if is_gits_own(path)], "a change may not steer git itself")
    _refuse([path for path in paths if is_protected(path, rules.forbidden)], "these paths are for people to change")
    allowed = ", ".join(rules.paths)
    _refuse([path for path in paths if not matches(path, rules.paths)], f"only {allowed} may be changed here")


def _is_name(path: bytes) -> bool:
    try:
        return is_printable(path.decode())
    except UnicodeDecodeError:
        return False


def _is_regular(change: Touched) -> bool:
    return change.mode in _REGULAR or change.mode == _DELETED


def _refuse(paths: list[bytes] | list[str], rule: str) -> None:
    if not paths:
        return
    named = ", ".join(ascii(path)[:200].lstrip("b").strip("'\"") for path in paths[:3])
    rest = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    raise PolicyViolation(f"The change touches {named}{rest}, but {rule}.")
