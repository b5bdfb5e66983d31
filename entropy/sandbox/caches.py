"""Dependency caches: what a repository's setup command makes of its lock files, once, for all runs that have the same.

The setup runs in a sandbox of its own, which may reach package indexes and holds the lock files and nothing else of the
tree. The cache is named by everything that goes into it: repository, command, the files' contents, the image and the
environment. So a hostile tree cannot poison what another run uses: either its lock files are the same, and then nothing
of it was there when the cache was made, or they differ, and then so does the name. Whoever writes a lock file chooses
what runs for that file, and for no other. The command comes from the branch that people merged into.

While it is made the cache is a workspace, in size and in number of files; it is looked at before it is kept, kept only
when the command succeeded, whole or not at all, and from then on shown read-only.
"""

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple, Protocol

from entropy.errors import PolicyViolation
from entropy.items import Setup
from entropy.models import Noun
from entropy.sandbox.belongings import Belonging, Kind
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.interface import ExecResult
from entropy.sandbox.policy import CACHE, MIB, SandboxPolicy
from entropy.sandbox.session import Session
from entropy.sections import CacheSettings

DAY = 86400.0
ABANDONED = 3600.0
"""Seconds after which a cache that is not complete is nobody's any more."""
GONE = "The dependency cache was just removed; it will be made again."
AT_ITS_PLACE = ("sh", "-c", f'cd {CACHE} && exec "$@"', "setup")
NO_CACHES = (
    "This repository has a [setup] in its .entropy.toml, and sandboxes of this kind keep no dependency caches; leave it"
    " out, or have the operator set ENTROPY_SANDBOX__BACKEND to docker or bubblewrap."
)
TOO_MUCH = (
    "The setup made {size} MiB, more than all dependency caches of a node may hold; make it smaller, or have the"
    " operator raise ENTROPY_SANDBOX__CACHES__TOTAL_MIB."
)


class Made(Noun):
    """What is known of a cache's content; empty where it is not complete."""

    key: str = ""
    repository: str = ""
    size: int = 0
    """Of its files, in bytes."""


class Cache(Noun):
    """One that is there; `used` in seconds since 1970, on the clock of the machine that holds it."""

    name: str
    used: float
    complete: bool
    made: Made


class CacheStore(Protocol):
    """Where the sandboxes of a backend find caches."""

    def base(self, policy: SandboxPolicy) -> str:
        """What programs find around them, as a name that changes with it."""

    def find(self, key: str) -> str:
        """The name of a complete cache, used as of now; empty where there is none."""

    def publish(self, archive: BinaryIO, made: Made, run_id: str) -> str:
        """Keep what is in a tar that was looked at; the name of it, or of another's that all prefer."""

    def kept(self) -> list[Cache]: ...

    def remove(self, name: str) -> bool:
        """Whether it is gone; one that a sandbox uses stays."""

    def now(self) -> float:
        """By the clock of the machine that holds them."""


class Provision(NamedTuple):
    """The name of a cache; or why there is none, for people. With what the command came to, where it was run now."""

    name: str = ""
    complaint: str = ""
    result: ExecResult | None = None


Open = Callable[[str, SandboxPolicy], AbstractContextManager[Session]]


class Caches:
    """The dependency caches of one worker's backend."""

    def __init__(self, settings: CacheSettings, *, open_sandbox: Open, store: CacheStore) -> None:
        self._settings = settings
        self._open = open_sandbox
        self._store = store

    def provide(self, setup: Setup, locks: bytes, policy: SandboxPolicy, *, run_id: str, repository: str) -> Provision:
        """The cache for these lock files, which is made in a sandbox of the run where there is none."""
        key = key_of(setup, locks, policy, repository=repository, base=self._store.base(policy))
        name = self._store.find(key)
        if name:
            return Provision(name)
        made = Made(key=key, repository=repository)
        try:
            return self._make(setup, locks, policy.model_copy(update={"builds_cache": True}), run_id=run_id, made=made)
        except PolicyViolation as violation:
            return Provision(complaint=str(violation))

    def _make(self, setup: Setup, locks: bytes, policy: SandboxPolicy, *, run_id: str, made: Made) -> Provision:
        with self._open(run_id, policy) as sandbox, tempfile.TemporaryFile() as archive:
            sandbox.put(locks)
            result = sandbox.exec([*AT_ITS_PLACE, *setup.command], phase=Phase.SETUP)
            if result.exit_status != 0:
                return Provision(complaint="The setup did not succeed.", result=result)
            made = made.model_copy(update={"size": sandbox.pack(archive)})
            if made.size > self._settings.total_mib * MIB:
                raise PolicyViolation(TOO_MUCH.format(size=made.size // MIB))
            return Provision(self._store.publish(archive, made, run_id), result=result)

    def prune(self) -> list[str]:
        """Remove what is too old or too much; returns the names of what was removed."""
        stale = stale_caches(self._store.kept(), self._settings, now=self._store.now())
        return [cache.name for cache in stale if self._store.remove(cache.name)]

    def clear(self) -> None:
        """Remove all of them, for whoever knows that no worker is left."""
        for cache in self._store.kept():
            self._store.remove(cache.name)

    def belongings(self) -> list[Belonging]:
        return [
            Belonging(kind=Kind.CACHE, name=f"{cache.name} {cache.made.repository}".strip(), run="", since=cache.used)
            for cache in self._store.kept()
        ]


def key_of(setup: Setup, locks: bytes, policy: SandboxPolicy, *, repository: str, base: str) -> str:
    """A digest of all that goes into a cache, and of nothing else."""
    facts = [
        *(repository, base, setup.command, hashlib.sha256(locks).hexdigest()),
        *(sorted(policy.environment.items()), "setup" in policy.network, policy.workspace, policy.inodes),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def stale_caches(caches: list[Cache], settings: CacheSettings, *, now: float) -> list[Cache]:
    """What has to go: the incomplete and the old, then what was used longest ago, until the rest fits."""
    stale, left = [], settings.total_mib * MIB
    for cache in sorted(caches, key=lambda cache: cache.used, reverse=True):
        limit = settings.days * DAY if cache.complete else ABANDONED
        left -= cache.made.size
        if now - cache.used > limit or left < 0:
            stale.append(cache)
            left += cache.made.size
    return stale


def locks_of(files: Mapping[str, bytes]) -> bytes:
    """A tar of these files, the same bytes whenever and of whatever commit they are."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(files):
            member = tarfile.TarInfo(path)
            member.mode, member.size = 0o644, len(files[path])
            archive.addfile(member, io.BytesIO(files[path]))
    return packed.getvalue()
