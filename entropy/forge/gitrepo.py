"""A bare git repository of the forge, without a work tree; nothing here speaks HTTP or SQL."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from entropy.forge.names import is_ref, is_sha

ABSENT = "0" * 40
TIMEOUT = 120
"""Seconds that one git command may take."""
_FIELDS = ("%H", "%T", "%P", "%an", "%ae", "%ad", "%cn", "%ce", "%cd", "%B")


class GitError(Exception):
    """git said no; the message is its last line."""


@dataclass(frozen=True)
class Commit:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str, str]
    """Name, mail, ISO time."""
    committer: tuple[str, str, str]
    message: str


def environment(gitconfig: Path) -> dict[str, str]:
    """All that a git process of the forge is given: no configuration but the forge's own."""
    found = shutil.which("git")
    return {
        "PATH": f"{Path(found).parent if found else '/usr/bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(gitconfig.parent),
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(gitconfig),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ATTR_NOSYSTEM": "1",
    }


@dataclass(frozen=True)
class GitRepository:
    path: Path
    gitconfig: Path

    def command(
        self,
        *arguments: str,
        stdin: bytes = b"",
        cwd: Path | None = None,
        ok: Sequence[int] = (0,),
        index: Path | None = None,
    ) -> tuple[int, bytes]:
        """Exit code and output of one git command."""
        indexed = {"GIT_INDEX_FILE": str(index)} if index else {}
        try:
            done = subprocess.run(
                ["git", *arguments],
                input=stdin,
                capture_output=True,
                cwd=cwd,
                env=environment(self.gitconfig) | indexed,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise GitError(f"git {arguments[0]} took longer than {TIMEOUT} seconds") from None
        if done.returncode not in ok:
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitError(lines[-1].removeprefix("fatal: ") if lines else f"git ended with {done.returncode}")
        return done.returncode, done.stdout

    def run(self, *arguments: str, stdin: bytes = b"", cwd: Path | None = None, index: Path | None = None) -> bytes:
        return self.command("--git-dir", str(self.path), *arguments, stdin=stdin, cwd=cwd, index=index)[1]

    def says(self, *arguments: str, stdin: bytes = b"") -> bytes | None:
        """The output, or None where git answers no with exit code 1 or 128."""
        code, output = self.command("--git-dir", str(self.path), *arguments, stdin=stdin, ok=(0, 1, 128))
        return None if code else output

    def head_branch(self) -> str | None:
        output = self.says("symbolic-ref", "--quiet", "HEAD")
        return output.decode().strip().removeprefix("refs/heads/") if output else None

    def resolve(self, revision: str, kind: str = "commit") -> str | None:
        """The full sha of a ref or an abbreviated sha that is known to be well formed."""
        output = self.says("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{{kind}}}")
        return output.decode().strip().splitlines()[-1] if output else None

    def commit_of(self, name: str) -> str | None:
        """The commit that somebody names by branch, tag, ref or sha; anything may come in here."""
        if not is_ref(name):
            return None
        if is_sha(name):
            return self.resolve(name)
        places = (f"refs/heads/{name}", f"refs/tags/{name}", f"refs/{name.removeprefix('refs/')}", name)
        return next((sha for place in places if (sha := self.resolve(place))), None)

    def refs(self, prefix: str) -> list[tuple[str, str]]:
        """Full names and what they point at, by name."""
        output = self.run("for-each-ref", "--format=%(objectname) %(refname)", prefix).decode("utf-8", "replace")
        return [(name, sha) for sha, _, name in (line.partition(" ") for line in output.splitlines())]

    def tips(self) -> dict[str, str]:
        """Every branch and tag, by its full name."""
        return {name: sha for name, sha in self.refs("refs/") if name.startswith(("refs/heads/", "refs/tags/"))}

    def ref(self, name: str) -> str | None:
        """What a full ref name points at."""
        output = self.says("show-ref", "--verify", "--hash", name)
        return output.decode().strip() if output else None

    def branch(self, name: str) -> str | None:
        return self.ref(f"refs/heads/{name}") if is_ref(name) else None

    def kind(self, sha: str) -> str:
        return self.run("cat-file", "-t", sha).decode().strip()

    def create_ref(self, name: str, sha: str) -> bool:
        """Create if absent; False when it exists or git refuses the name."""
        return self.update_ref(name, new=sha, old=ABSENT)

    def update_ref(self, name: str, *, new: str, old: str) -> bool:
        """Compare and set; False when the ref is not at `old` any more."""
        return self.says("update-ref", "--", name, new, old) is not None

    def delete_ref(self, name: str, old: str) -> bool:
        return self.says("update-ref", "-d", "--", name, old) is not None

    def is_ancestor(self, old: str, new: str) -> bool:
        return self.says("merge-base", "--is-ancestor", old, new) is not None

    def merge_base(self, one: str, other: str) -> str | None:
        output = self.says("merge-base", one, other)
        return output.decode().strip() if output else None

    def merge_tree(self, base: str, head: str) -> str | None:
        """The tree of a three-way merge; None on conflict."""
        output = self.says("merge-tree", "--write-tree", "--no-messages", base, head)
        return output.decode().split("\n", 1)[0] if output else None

    def commit_tree(self, tree: str, *, parents: Sequence[str], message: str, author: str) -> str:
        """`author` is ``Name <mail>``; time is now."""
        name, _, mail = author.removesuffix(">").partition(" <")
        identity = ("-c", f"user.name={name}", "-c", f"user.email={mail}")
        flags = [part for parent in parents for part in ("-p", parent)]
        return self.run(*identity, "commit-tree", tree, *flags, stdin=message.encode()).decode().strip()

    def staged(self, index: Path, parent: str, changes: bytes) -> str:
        """The tree of a commit with `changes` (as ``update-index --index-info`` takes them), by way of a new index."""
        for arguments, stdin in ((("read-tree", parent), b""), (("update-index", "--index-info"), changes)):
            self.run(*arguments, stdin=stdin, index=index)
        return self.run("write-tree", index=index).decode().strip()

    def tree_of(self, commit: str) -> str:
        return self.run("rev-parse", f"{commit}^{{tree}}").decode().strip()

    def count(self, span: str) -> int:
        return int(self.run("rev-list", "--count", span, "--"))

    def log(self, span: str, *, limit: int, skip: int = 0, path: str = "") -> list[Commit]:
        """Newest first; `span` is one sha or ``sha..sha``."""
        output = self.run(
            "log",
            "-z",
            f"--format=tformat:{'%x00'.join(_FIELDS)}",
            "--date=format-local:%Y-%m-%dT%H:%M:%SZ",
            f"--max-count={limit}",
            f"--skip={skip}",
            span,
            "--",
            *([f":(literal){path}"] if path else []),
        )
        fields = output.decode("utf-8", "replace").split("\0")[:-1]
        return [_commit(fields[at : at + len(_FIELDS)]) for at in range(0, len(fields), len(_FIELDS))]

    def diff(self, base: str, head: str, *options: str) -> bytes:
        """Between two commits, without the repository's own diff drivers."""
        fixed = ("--no-color", "--no-ext-diff", "--no-textconv", "-M", "--full-index", "-U3")
        return self.run("diff", *fixed, *options, base, head, "--")

    def read(self, sha: str) -> bytes:
        return self.run("cat-file", "blob", sha)

    def entries(self, commit: str, path: str) -> list[tuple[str, str, str, int, str]]:
        """Mode, kind, sha, size and path of what lies at `path`, or in it where it ends in a slash."""
        found = []
        where = [path] if path else []
        output = self.run("--literal-pathspecs", "ls-tree", "-z", "-l", "--full-tree", commit, "--", *where)
        for line in output.decode("utf-8", "replace").split("\0")[:-1]:
            facts, _, name = line.partition("\t")
            mode, kind, sha, size = facts.split()
            found.append((mode, kind, sha, int(size) if size.isdigit() else 0, name))
        return found


def _commit(fields: Sequence[str]) -> Commit:
    sha, tree, parents, *people, message = fields
    return Commit(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author=(people[0], people[1], people[2]),
        committer=(people[3], people[4], people[5]),
        message=message.rstrip("\n"),
    )
