"""A bare mirror of one repository: the only place where its objects are read, and from where changes are pushed."""

import fcntl
import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from entropy.errors import ConfigurationError, ForgeRefused, PolicyViolation
from entropy.models import Identity, Secret
from entropy.repository.additions import Addition, additions
from entropy.repository.answers import fetch_error, push_error
from entropy.repository.git import Git
from entropy.repository.history import write_history
from entropy.repository.patch import PatchRules, commit_tree, write_tree
from entropy.repository.snapshot import ATTRIBUTES, archive
from entropy.settings import RepositorySettings

DIFF_LIMIT = 1024 * 1024
FILE_LIMIT = 4 * 1024 * 1024
API_LIMIT = 8 * 1024 * 1024
FETCH_OPTIONS = ("--quiet", "--prune", "--no-tags", "--force", "--no-write-fetch-head")
REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/pull/*/head:refs/pull/*/head")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Mirror:
    """One repository's mirror below `settings.cache`. Construction touches nothing; `fetch` comes first.

    `url` is the address to clone from, without a credential. `protocols` is there for tests.
    """

    def __init__(
        self,
        settings: RepositorySettings,
        *,
        url: str,
        token: Secret | None,
        protocols: tuple[str, ...] = ("http", "https"),
    ) -> None:
        self._settings = settings
        self.url = _without_credential(url)
        self.directory = settings.cache.absolute() / _folder(url)
        self._git = Git(self.directory, url=url, token=token, protocols=protocols)

    def fetch(self) -> None:
        """Bring all branches and pull request heads up to date; several processes may do so at once."""
        with self._locked() as lock:
            self._prepare()
            # If this process is killed, git may live on: the lock is then free only when git ends.
            answer = self._git.remote("fetch", *FETCH_OPTIONS, self.url, *REFSPECS, inherit=(lock,))
        if answer.status:
            raise fetch_error(self.url, answer.error)

    def commit_of(self, ref: str) -> str:
        """The commit of a branch, of a full ref such as ``refs/pull/7/head``, or of a full commit id."""
        name = ref if ref.startswith("refs/") or _COMMIT.fullmatch(ref) else f"refs/heads/{ref}"
        commit = self._resolve(name)
        if commit is None:
            raise ForgeRefused(f"{self.url} has no {name}; see whether it was renamed or deleted.")
        return commit

    def tip_of(self, branch: str) -> str | None:
        """The commit of a branch at the last fetch, or None where there is no such branch."""
        return self._resolve(f"refs/heads/{branch}")

    def _resolve(self, name: str) -> str | None:
        answer = self._git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return None if answer.status else answer.output.decode().strip()

    def snapshot(self, commit: str, *, into: BinaryIO, history: int = 0) -> None:
        """Write a tar of all tracked files, and with so many commits of `history` in a folder ``.git``."""
        found, limit = self.commit_of(commit), self._settings.snapshot_mib * 2**20
        if history:
            write_history(self._git, found, depth=history, into=into)
        archive(self._git, found, into=into, limit=limit)

    def file(self, commit: str, path: str) -> bytes | None:
        """The bytes of a regular file, or None where there is none."""
        listing = self._git.read("ls-tree", "-z", "--full-tree", self.commit_of(commit), "--", path)
        facts, _, name = listing.rstrip(b"\0").partition(b"\t")
        if not facts.startswith(b"100") or name != path.encode():
            return None
        content = self._git.read("cat-file", "blob", facts.split(b" ")[2].decode(), limit=FILE_LIMIT)
        if len(content) > FILE_LIMIT:
            raise PolicyViolation(f"{path} in {self.url} is larger than {FILE_LIMIT // 2**20} MiB; make it smaller.")
        return content

    def diff(self, base: str, head: str) -> str:
        """What `head` changes since it left `base`; cut after 1 MiB, and says so in its last line."""
        commits = (self.commit_of(base), self.commit_of(head))
        answer = self._git.run(
            "diff", "--merge-base", "--no-color", "--no-ext-diff", "--no-textconv", *commits, limit=DIFF_LIMIT
        )
        if len(answer.output) > DIFF_LIMIT:
            whole_lines = answer.output[: answer.output.rfind(b"\n") + 1]
            return whole_lines.decode("utf-8", "replace") + "[cut: the diff is larger than 1 MiB]\n"
        if answer.status:
            raise ForgeRefused(f"{head} and {base} of {self.url} cannot be compared: {answer.error}.")
        return answer.output.decode("utf-8", "replace")

    def changed(self, before: str, after: str, *, since_fork: bool = False) -> frozenset[str]:
        """The paths that differ between two commits; or between `after` and where it left `before`."""
        commits = (self.commit_of(before), self.commit_of(after))
        options = ("--name-only", "--no-renames", "--no-ext-diff", "-z", *(("--merge-base",) if since_fork else ()))
        names = self._git.read("diff", *options, *commits)
        return frozenset(name.decode("utf-8", "replace") for name in names.split(b"\0") if name)

    def additions(self, commit: str) -> list[Addition]:
        """The lines that a commit adds."""
        return additions(self._git, self.commit_of(commit))

    def parent_of(self, commit: str) -> str:
        return self.commit_of(self._git.read("rev-parse", "--verify", f"{commit}^1").decode().strip())

    def message_of(self, commit: str) -> str:
        return self._git.read("show", "--no-patch", "--format=%B", commit).decode("utf-8", "replace").strip()

    def is_twin(self, commit: str | None, other: str) -> bool:
        """Whether both make the same change of the same commit in the same words, whoever made them and when."""
        if commit is None or self._resolve(commit) is None:
            return False
        facts = ("show", "--no-patch", "--format=%T %P%n%B")
        return self._git.read(*facts, commit).strip() == self._git.read(*facts, other).strip()

    def files_of(self, commit: str) -> dict[str, bytes | None] | None:
        """What a commit makes of each file that it touches, None for none; None in all where that is not everything."""
        listing = self._git.read("diff-tree", "-r", "--raw", "-z", "--no-renames", f"{commit}^1", commit)
        fields = listing.split(b"\0")
        found: dict[str, bytes | None] = {}
        size = 0
        for facts, path in zip(fields[0::2], fields[1::2], strict=False):
            before, after, _, blob, _ = facts.lstrip(b":").split(b" ")
            if after not in {b"000000", b"100644"} or (after != b"000000" and before not in {b"000000", b"100644"}):
                return None
            content = self._git.read("cat-file", "blob", blob.decode()) if after != b"000000" else None
            size += len(content or b"")
            found[path.decode()] = content
        return found if size <= API_LIMIT else None

    def conflicts(self, base: str, head: str) -> bool:
        """Whether the two cannot be merged without a person or an agent."""
        commits = (self.commit_of(base), self.commit_of(head))
        answer = self._git.run("merge-tree", "--write-tree", "--no-messages", *commits)
        if answer.status > 1:
            raise ForgeRefused(f"{head} and {base} of {self.url} cannot be compared: {answer.error}.")
        return answer.status == 1

    def commit_patch(
        self, base: str, patch: bytes, *, message: str, identity: Identity, when: float, rules: PatchRules
    ) -> str:
        """A commit of `patch` on `base`, not pushed; raises `PolicyViolation` for what the rules forbid.

        `when` in seconds since the epoch. The same arguments give the same commit.
        """
        parent = self.commit_of(base)
        tree = write_tree(self._git, parent, patch, rules)
        return commit_tree(self._git, tree, parent, message=message, identity=identity, when=when)

    def push(self, commit: str, branch: str, *, expected: str | None) -> None:
        """Set the branch if it still is at `expected` (None: does not exist); fine if it already is at `commit`."""
        ref = f"refs/heads/{branch}"
        answer = self._git.remote(
            "push", "--porcelain", "--no-verify", "--no-follow-tags", f"--force-with-lease={ref}:{expected or ''}",
            self.url, f"{commit}:{ref}",
        )  # fmt: skip
        # A twin of this run may have been quicker: what counts is where the branch is.
        if answer.status and self._remote_commit(ref) != commit:
            raise push_error(self.url, branch, answer)

    def _remote_commit(self, ref: str) -> str | None:
        answer = self._git.remote("ls-remote", self.url, ref)
        return answer.output.decode().partition("\t")[0] or None

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self.directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.directory.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock.fileno()

    def _prepare(self) -> None:
        """Make the mirror, or clear away what a fetch that was killed has left; only under the lock."""
        if not self.directory.exists():
            self._create(self.directory.with_suffix(".new"))
        for left in (*self.directory.glob("*.lock"), *self.directory.glob("refs/**/*.lock")):
            left.unlink()

    def _create(self, building: Path) -> None:
        """Build beside and rename, so that a mirror is there whole or not at all."""
        shutil.rmtree(building, ignore_errors=True)
        (building / "home").mkdir(mode=0o700, parents=True)
        building.chmod(0o700)
        Git(building, url=self.url, token=None, protocols=()).read("init", "--bare", "--quiet", "--template=")
        (building / "info").mkdir(exist_ok=True)
        (building / "info" / "attributes").write_text(ATTRIBUTES)
        building.rename(self.directory)


def _folder(url: str) -> str:
    """A name people recognise, and a digest that keeps apart what looks alike."""
    readable = re.sub(r"[^\w.-]+", "_", url.partition("://")[2].removesuffix(".git"))[-80:]
    return f"{readable}-{hashlib.sha256(url.encode()).hexdigest()[:12]}.git"


def _without_credential(url: str) -> str:
    if "@" in urlsplit(url).netloc:
        raise ConfigurationError("A repository's address holds a credential; give the token by the secret provider.")
    return url
