"""Sandboxes from Linux namespaces alone, without a daemon: for laptops, CI and the demo.

Weaker than a container. The system-call filter lists what is refused, not what is allowed; limits of memory, processes
and processor hold for the whole sandbox where this process may write control groups (as root), else per process; the
workspace has a quota only as root. Processes end with the command that started them.
"""

import contextlib
import fcntl
import logging
import os
import re
import secrets
import subprocess
import threading
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar

from entropy.errors import ConfigurationError, SandboxUnavailable
from entropy.sandbox import canaries
from entropy.sandbox.backends import folder_caches, isolation, jail, mounts, strays, users
from entropy.sandbox.backends.cgroups import COLLECTOR, Cgroups
from entropy.sandbox.backends.folder_caches import FolderCaches
from entropy.sandbox.backends.isolation import Inside
from entropy.sandbox.backends.jail import Descriptors
from entropy.sandbox.backends.mounts import Namespace
from entropy.sandbox.backends.proving import nobody_proves, proving
from entropy.sandbox.belongings import Belonging, Kind
from entropy.sandbox.caches import Caches
from entropy.sandbox.canaries import Guarantee
from entropy.sandbox.command import Command, Ending
from entropy.sandbox.egress.outlet import INSIDE, Egress, Outlet
from entropy.sandbox.policy import UID, SandboxPolicy
from entropy.sandbox.session import Session
from entropy.settings import SandboxSettings

logger = logging.getLogger(__name__)

RUN_ID = re.compile(r"[\w-]{1,80}")
COLLECTOR_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108 - inside
ABSENT = {Guarantee.MEMORY, Guarantee.PROCESSES, Guarantee.SIZE, Guarantee.FILES}
"""What it may lack, where this process is not root or may not write control groups."""


class NamespaceCell:
    """A folder of the host that processes in namespaces of their own see as their workspace."""

    def __init__(
        self, folder: Path, policy: SandboxPolicy, binds: Sequence[tuple[Path, Path]] = (), user: int = UID
    ) -> None:
        self._folder = folder
        self._policy = policy
        self._binds = tuple(binds)
        self._user = user
        self._mounts: Namespace | None = None
        """Where this process is root."""
        self._groups = Cgroups(folder.name)
        self._collector_groups = Cgroups(f"{folder.name}{COLLECTOR}")
        self.kept = False

    def make(self) -> None:
        _make(self._folder)
        isolation.write_etc(self._folder / "etc")
        workspace = self._folder / "workspace"
        workspace.mkdir(mode=0o700)
        self._groups.create(self._policy)
        if _is_root():
            owned = f"uid={self._user},gid={self._user},mode=0700"
            mounts.mount_memory(workspace, f"size={self._policy.workspace},nr_inodes={self._policy.inodes},{owned}")
            places, binds = isolation.handed_over(self._folder, self._binds)
            self._binds = tuple(binds)
            self._mounts = Namespace(isolation.STAGE, places, isolation.NEEDED)

    def work(self, command: Command) -> Ending:
        policy, limits = self._policy, self._limits()
        inside = Inside(
            self._shown, self._binds, writable=True, tmp=policy.tmp, limits=limits, is_cache=policy.builds_cache
        )
        return self._run(inside, command, self._policy.environment, self._groups)

    def inspect(self, command: Command) -> Ending:
        self._collector_groups.create(self._policy)
        # What the collector writes is bounded by its memory, and it holds the snapshot twice over.
        inside = Inside(self._shown, (), writable=False, tmp=self._policy.memory // 2, limits=self._limits())
        return self._run(inside, command, COLLECTOR_ENVIRONMENT, self._collector_groups)

    def kill(self) -> None:
        jail.kill_strays(self._folder.name)
        self._groups.kill()

    def close(self) -> None:
        """Let go of what is this process's own."""
        if self._mounts is not None:
            self._mounts.close()

    def remove(self) -> None:
        """Leave nothing, whatever state the sandbox was left in; several may try at once."""
        self.close()
        with _locked(self._folder) as is_there:
            self.kill()
            self._groups.remove()
            self._collector_groups.remove()  # made by who did not know yet that a reaper had removed the folder
            if is_there:
                self._remove_files()

    def _remove_files(self) -> None:
        workspace = self._folder / "workspace"
        if workspace.is_mount():
            mounts.unmount(workspace)
        # The owner may have closed folders to itself; neither program follows symlinks.
        _do("chmod", "--recursive", "u+rwX", str(self._folder))
        _do("rm", "--recursive", "--force", "--one-file-system", str(self._folder))

    def limited(self) -> AbstractSet[str]:
        """What is limited for the sandbox as a whole."""
        return self._groups.limited

    @property
    def _shown(self) -> Path:
        return self._folder if self._mounts is None else isolation.STAGE

    def _run(self, inside: Inside, command: Command, environment: dict[str, str], groups: Cgroups) -> Ending:
        def argv(handed: Descriptors) -> Sequence[str]:
            line = isolation.jailed(inside, command.argv, environment=environment, handed=handed)
            if self._mounts is None:
                return line
            entrance = self._mounts.descriptor
            return isolation.as_root(line, entering=groups.entering, mounts=entrance, user=self._user)

        return jail.run(argv, command)

    def _limits(self) -> tuple[str, ...]:
        return isolation.process_limits(self._policy, limited=self._groups.limited)


class BubblewrapBackend:
    """Makes sandboxes under one folder of the host."""

    name = "bubblewrap"
    _absent: ClassVar[dict[tuple[int, str], tuple[str, ...]]] = {}
    """What was found to be absent, by user and folder, for the life of this process and of those that it forks."""
    _proving: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, settings: SandboxSettings, egress: Egress | None = None) -> None:
        self._directory = settings.directory
        self._policy = SandboxPolicy.of(settings)
        self._users = settings.users
        self._binds = isolation.shown(settings.binds)
        self._egress = egress or Egress(settings.egress)
        self.caches = Caches(settings.caches, open_sandbox=self.open, store=FolderCaches(settings))

    def preflight(self) -> tuple[str, ...]:
        return self._proven(canaries.preflight_name())

    def _proven(self, run_id: str) -> tuple[str, ...]:
        """The verdict; the sandbox in which it is found is the run's, or the reaper would take it for left over."""
        place = (os.geteuid(), str(self._directory))
        with self._proving:
            if place not in self._absent:
                self._absent[place] = self._prove(run_id)
        return self._absent[place]

    @contextlib.contextmanager
    def open(self, run_id: str, policy: SandboxPolicy | None = None) -> Iterator[Session]:
        policy = policy or self._policy
        self._proven(run_id)
        for folder in self._folders():
            if _run_of(folder) == run_id:  # of an earlier attempt, whose worker has lost the run
                NamespaceCell(folder, self._policy).remove()
        with self._egress.outlet(run_id, policy.network) as outlet, self._cell(run_id, policy, outlet) as cell:
            session = Session(cell, policy, outlet)
            yield session
            cell.kept = session.kept

    def reap(self, live: AbstractSet[str]) -> list[str]:
        with nobody_proves(self._directory) as idle:
            dead = [folder for folder in self._folders() if _run_of(folder) not in live and (idle or _has_run(folder))]
            for folder in dead:
                NamespaceCell(folder, self._policy).remove()
        lost = [stray for stray in strays.strays(self._directory) if stray.run not in live and strays.remove(stray)]
        names = [*(folder.name for folder in dead), *(f"{stray.kind} {stray.name}" for stray in lost)]
        return [*names, *self._egress.reap(live), *self.caches.prune()]

    def clear(self) -> None:
        self.reap(frozenset())
        self.caches.clear()

    def belongings(self) -> list[Belonging]:
        folders = [
            Belonging(kind=Kind.FOLDER, name=folder.name, run=_run_of(folder), since=folder.stat().st_mtime)
            for folder in self._folders()
        ]
        return [*folders, *strays.strays(self._directory), *self._egress.belongings(), *self.caches.belongings()]

    @contextlib.contextmanager
    def _cell(self, run_id: str, policy: SandboxPolicy, outlet: Outlet | None = None) -> Iterator[NamespaceCell]:
        if not RUN_ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} cannot name a folder")
        binds = [*self._binds, *((folder, INSIDE) for folder in outlet.folders)] if outlet else self._binds
        folder = self._directory / f"{run_id}.{secrets.token_hex(4)}"
        with folder_caches.shown(self._directory, policy) as cache, self._user() as user:
            cell = NamespaceCell(folder, policy, [*binds, *cache], user)
            try:
                cell.make()
                yield cell
            finally:
                cell.close() if cell.kept else cell.remove()

    def _user(self) -> AbstractContextManager[int]:
        """Only root can be somebody else."""
        return users.lent(self._users) if _is_root() else contextlib.nullcontext(UID)

    def _prove(self, run_id: str) -> tuple[str, ...]:
        policy = canaries.bounds(self._policy)
        _make(self._directory)
        with proving(self._directory), self._cell(run_id, policy) as cell:
            missing = canaries.missing(Session(cell, policy))
            bound = cell.limited()
        if refused := [guarantee for guarantee in missing if guarantee not in ABSENT]:
            raise ConfigurationError(
                f"A bubblewrap sandbox does not have {'; '.join(refused)}. Install git below /usr, and a bubblewrap"
                " and kernel with user namespaces and system-call filters."
            )
        absent = (*missing, *(() if "cpu" in bound else (Guarantee.PROCESSOR,)))
        said = "; ".join(absent) or "nothing"
        logger.warning("bubblewrap is weaker than a container and for trusted work; absent here: %s", said)
        return absent

    def _folders(self) -> list[Path]:
        folders = sorted(self._directory.iterdir()) if self._directory.is_dir() else []
        return [folder for folder in folders if folder.name != folder_caches.FOLDER]


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Alone with the folder; False when it is not there, or not any more."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder.exists()
    finally:
        os.close(descriptor)


def _run_of(folder: Path) -> str:
    return folder.name.rpartition(".")[0]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # no two have one name
    except OSError as error:
        raise ConfigurationError(
            f"{folder.parent} cannot hold sandboxes ({error.strerror}); set ENTROPY_SANDBOX__DIRECTORY."
        ) from None


def _has_run(folder: Path) -> bool:
    return not folder.name.startswith(canaries.PREFLIGHT)


def _is_root() -> bool:
    return os.geteuid() == 0


def _do(name: str, *arguments: str) -> None:
    done = subprocess.run([isolation.program(name), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxUnavailable(f"The bubblewrap sandbox cannot {name}: {done.stderr.strip()}")
