"""Sandboxes as tasks on AWS Fargate: each a virtual machine of its own, without a role, and gone when it is stopped.

What Docker's daemon does for a container, here the task definition and the launcher inside do: tmpfs of bounded size
and a read-only root by the definition; another user, limits of processes, and the filter of system calls by the
launcher, which also denies every socket that leaves the task, so that there is no network for untrusted work although
the task has one. There is no way out: a policy that has one is refused.
"""

import contextlib
import logging
import re
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, NamedTuple

from entropy.errors import ConfigurationError
from entropy.sandbox import canaries
from entropy.sandbox.backends.aws import AwsAccount
from entropy.sandbox.backends.bucket_folders import BucketFolder, BucketFolders
from entropy.sandbox.backends.fargate_cell import COLLECTOR, FargateCell, SandboxTask
from entropy.sandbox.backends.fargate_tasks import FargateTask, FargateTasks, TaskDefinition, size
from entropy.sandbox.backends.mailbox import Mailbox
from entropy.sandbox.belongings import Belonging, Kind
from entropy.sandbox.canaries import Guarantee
from entropy.sandbox.egress.outlet import Egress
from entropy.sandbox.egress.rules import Rules
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.policy import SandboxPolicy
from entropy.sandbox.session import Session
from entropy.settings import SandboxSettings

logger = logging.getLogger(__name__)

RUN_ID = re.compile(r"[\w-]{1,80}", re.ASCII)
OWNER = re.compile(r"[A-Za-z0-9_-]{1,128}")
NEEDED = ("task_definition", "subnets", "security_groups", "bucket")
FILES = {Guarantee.SIZE, Guarantee.SCRATCH, Guarantee.FILES}
"""Bounds that a task definition sets, the same for all sandboxes; too large to be hit by trying."""
MEASURE = """
import os
for folder in ("/workspace", "/tmp"):
    found = os.statvfs(folder)
    print(found.f_blocks * found.f_frsize, found.f_files)
"""


class _Site(NamedTuple):
    """One conversation with AWS about one installation's sandboxes."""

    s3: Any
    tasks: FargateTasks
    folders: BucketFolders

    def remove(self, tasks: Iterable[FargateTask], folders: Iterable[BucketFolder]) -> None:
        for task in tasks:
            self.tasks.stop(task.arn)
        for folder in folders:
            self.folders.remove(folder)


class _Place(NamedTuple):
    """What is looked at once per sandbox."""

    work: TaskDefinition
    collect: TaskDefinition

    @property
    def key(self) -> tuple[str, str]:
        return self.work.arn, self.collect.arn


class EcsBackend:
    """Makes sandboxes in one ECS cluster."""

    name = "ecs"
    _proven: ClassVar[dict[tuple[str, ...], tuple[str, ...]]] = {}
    """What was found to be absent, by cluster, definition and setting, for the life of this process and its forks."""
    _proving: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, settings: SandboxSettings, egress: Egress | None = None) -> None:
        self._settings = settings.ecs
        self._egress = settings.egress
        self._image = settings.image
        self._owner = settings.owner
        self._account = AwsAccount(settings.ecs)
        self._policy = SandboxPolicy.of(settings)
        if missing := [name for name in NEEDED if not getattr(settings.ecs, name)]:
            names = ", ".join(f"ENTROPY_SANDBOX__ECS__{name.upper()}" for name in missing)
            raise ConfigurationError(f"Sandboxes on ECS need {names}; ops/ecs/README.rst says where to get them.")
        if not OWNER.fullmatch(settings.owner):
            raise ConfigurationError(
                "ENTROPY_SANDBOX__OWNER marks tasks of ECS, which takes letters, digits, _ and - only."
            )

    def preflight(self) -> tuple[str, ...]:
        with self._site() as site:
            return self._proof(site, self._place(site, self._policy), canaries.preflight_name())

    @contextlib.contextmanager
    def open(self, run_id: str, policy: SandboxPolicy | None = None) -> Iterator[Session]:
        policy = policy or self._policy
        if not RUN_ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} cannot name a folder")
        began = time.monotonic()
        with self._site() as site:
            place = self._place(site, policy)
            self._proof(site, place, run_id)
            # Of an earlier attempt, whose worker has lost the run.
            site.remove([task for task in site.tasks.all() if task.run == run_id], site.folders.all(run_id))
            with self._cell(site, place, run_id, policy) as cell:
                # A task may take a minute to begin, for which nobody has allowed: it counts as the stage's time.
                left = max(0.0, policy.stage_seconds - (time.monotonic() - began))
                session = Session(cell, policy.model_copy(update={"stage_seconds": left}))
                yield session
                cell.kept = session.kept

    def reap(self, live: AbstractSet[str]) -> list[str]:
        with self._site() as site:
            now, tasks = site.tasks.now(), site.tasks.all()
            proof = canaries.bounds(self._policy).lifetime + self._settings.start_timeout
            dead = [task for task in tasks if task.expires < now or not _is_at_work(task.run, live)]
            at_work = live | {task.run for task in tasks if task not in dead}
            lost = [
                folder
                for folder in site.folders.all()
                if folder.run not in at_work and not (_is_preflight(folder.run) and folder.since > now - proof)
            ]
            site.remove(dead, lost)
            return [*(task.name for task in dead), *(folder.name for folder in lost)]

    def clear(self) -> None:
        with self._site() as site:
            site.remove(site.tasks.all(), site.folders.all())

    def belongings(self) -> list[Belonging]:
        with self._site() as site:
            tasks, folders = site.tasks.all(), site.folders.all()
        return [
            *(Belonging(kind=Kind.TASK, name=task.name, run=task.run, since=task.since) for task in tasks),
            *(Belonging(kind=Kind.OBJECTS, name=some.name, run=some.run, since=some.since) for some in folders),
        ]

    @contextlib.contextmanager
    def _site(self) -> Iterator[_Site]:
        with self._account.clients() as clients:
            tasks = FargateTasks(clients.ecs, self._settings, self._owner)
            yield _Site(clients.s3, tasks, BucketFolders(clients.s3, self._settings, self._owner))

    def _place(self, site: _Site, policy: SandboxPolicy) -> _Place:
        """Where this policy can be kept; raises `ConfigurationError` when nowhere."""
        self._refuse_ways_out(policy)
        size(policy)
        # A task's image is its definition's: an image of the operator's list is the name of a definition here.
        name = self._settings.task_definition if policy.image == self._image else policy.image
        work = site.tasks.definition(name)
        collector = self._settings.collector_task_definition
        return _Place(work, site.tasks.definition(collector) if collector else work)

    def _refuse_ways_out(self, policy: SandboxPolicy) -> None:
        rules = Rules.of(self._egress)
        out = [
            phase
            for phase in Phase
            if phase in policy.network and (rules.leads_out(phase) or (phase is Phase.SETUP and self._egress.indexes))
        ]
        if out:
            raise ConfigurationError(
                f"Sandboxes on ECS have no way out, and {' and '.join(out)} would have one: set"
                " ENTROPY_SANDBOX__NETWORK to nothing, or use ENTROPY_SANDBOX__BACKEND=docker or kubernetes."
            )

    @contextlib.contextmanager
    def _cell(self, site: _Site, place: _Place, run_id: str, policy: SandboxPolicy) -> Iterator[FargateCell]:
        token = secrets.token_hex(16)

        def begin(part: str) -> SandboxTask:
            # A folder name of its own for each: whoever knows one cannot tell the other.
            folder = site.folders.path(run_id, token, f"{part}-{secrets.token_hex(16)}")
            task = SandboxTask(site.tasks, Mailbox(site.s3, self._settings, folder, policy), self._settings)
            task.start(place.collect if part == COLLECTOR else place.work, policy, run_id)
            return task

        cell = FargateCell(begin, policy)
        try:
            cell.make()
            yield cell
        finally:
            if cell.kept:
                cell.release()
            else:
                cell.remove()
                site.remove((), [folder for folder in site.folders.all(run_id) if folder.token == token])

    def _proof(self, site: _Site, place: _Place, run_id: str) -> tuple[str, ...]:
        """The verdict; the sandbox in which it is found is the run's, or the reaper would take it for left over."""
        settings = self._settings
        verdict = (settings.endpoint, settings.region, settings.cluster, *place.key, str(settings.sockets))
        with self._proving:
            if verdict not in self._proven:
                self._proven[verdict] = self._prove(site, place, run_id)
        return self._proven[verdict]

    def _prove(self, site: _Site, place: _Place, run_id: str) -> tuple[str, ...]:
        bounds = canaries.bounds(self._policy)
        with self._cell(site, place, run_id, bounds) as cell:
            session = Session(cell, bounds)
            measured = session.exec(["python3", "-I", "-c", MEASURE]).stdout
            missing = [guarantee for guarantee in canaries.missing(session) if guarantee not in FILES]
        missing += _unbounded(measured, self._policy)
        allowed = {*FILES, Guarantee.NETWORK} if self._settings.sockets else FILES
        if refused := [guarantee for guarantee in missing if guarantee not in allowed]:
            raise ConfigurationError(
                f"A sandbox of the task definition {place.work.name} does not have {'; '.join(refused)}."
                " Register ops/ecs/task-definition.json anew, with the image that ops/images/build makes."
            )
        if missing:
            logger.warning("A sandbox of the task definition %s lacks %s", place.work.name, "; ".join(missing))
        return tuple(missing)


def _unbounded(measured: str, policy: SandboxPolicy) -> list[Guarantee]:
    """What the sizes of a task's file systems, as its kernel tells them, do not bound as the settings do."""
    figures = [int(figure) for figure in measured.split() if figure.isdecimal()]
    if len(figures) != 4:
        return [*FILES]
    workspace, files, tmp, _ = figures
    bounds = {
        Guarantee.SIZE: 0 < workspace <= policy.workspace,
        Guarantee.SCRATCH: 0 < tmp <= policy.tmp,
        Guarantee.FILES: 0 < files <= policy.inodes,
    }
    return [guarantee for guarantee, holds in bounds.items() if not holds]


def _is_preflight(run: str) -> bool:
    return run.startswith(canaries.PREFLIGHT)


def _is_at_work(run: str, live: AbstractSet[str]) -> bool:
    return run in live or _is_preflight(run)
