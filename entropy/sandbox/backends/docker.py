"""Sandboxes as containers: no capabilities, no network, a read-only root, every limit set and its effect proven."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, ClassVar, NamedTuple

from entropy.errors import ConfigurationError
from entropy.sandbox import canaries
from entropy.sandbox.backends import containers, gvisor, volume_caches
from entropy.sandbox.backends.containers import EXPIRES, OWNER, RUN, ContainerCell, moment, translated
from entropy.sandbox.backends.daemon import clock, connected
from entropy.sandbox.backends.volume_caches import VolumeCaches
from entropy.sandbox.belongings import Belonging, Kind
from entropy.sandbox.caches import Caches
from entropy.sandbox.egress.outlet import Egress, Outlet
from entropy.sandbox.policy import SandboxPolicy
from entropy.sandbox.session import Session
from entropy.settings import SandboxSettings

LOCALHOST = ("getent", "hosts", "localhost")


class _Base(NamedTuple):
    """What a sandbox is made from."""

    image: str
    """An id: a tag may be moved while it is used."""
    is_lone: bool
    """Whether programs in it know localhost without a file that the daemon makes, together with a network of its own
    that nothing is in. Then the kernel's will do, which is there much sooner."""


class DockerBackend:
    """Makes sandboxes on one Docker daemon."""

    name = "docker"
    _proven: ClassVar[set[tuple[str, str, str, str]]] = set()
    """Addresses, runtimes, daemons and images that passed, for the life of this process and of those that it forks."""
    _lone: ClassVar[dict[str, bool]] = {}
    """By image that was proven anywhere: it has the same in it everywhere."""
    _proving: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, settings: SandboxSettings, egress: Egress | None = None) -> None:
        self._host = settings.docker_host
        self._runtime = settings.runtime
        self._owner = settings.owner
        self._users = settings.users
        self._policy = SandboxPolicy.of(settings)
        self._egress = egress or Egress(settings.egress)
        self.caches = Caches(settings.caches, open_sandbox=self.open, store=VolumeCaches(settings, self._client))

    def preflight(self) -> tuple[str, ...]:
        with self._client() as client:
            self._prove(client, _image(client, self._policy.image), _info(client), canaries.preflight_name())
        return ()

    @contextlib.contextmanager
    def open(self, run_id: str, policy: SandboxPolicy | None = None) -> Iterator[Session]:
        policy = policy or self._policy
        with self._client() as client, ThreadPoolExecutor(1) as beside:
            info = beside.submit(_info, client)
            for thing in self._things(client, f"{RUN}={run_id}"):  # of an earlier attempt, whose worker lost the run
                _remove(thing)
            image = _image(client, policy.image)
            if image not in self._lone:
                self._prove(client, image, info.result(), run_id)
            base = _Base(image, self._lone[image])
            with (
                self._egress.outlet(run_id, policy.network) as outlet,
                self._cell(client, run_id, policy, base, outlet) as cell,
            ):
                self._prove(client, image, info.result(), run_id)  # before anything runs in the cell
                session = Session(cell, policy, outlet)
                yield session
                cell.kept = session.kept

    def reap(self, live: AbstractSet[str]) -> list[str]:
        with self._client() as client:
            now = clock(client)
            dead = [thing for thing in self._things(client) if _expires(thing) < now or not _is_at_work(thing, live)]
            for thing in dead:
                _remove(thing)
            names = [thing.name for thing in dead]
        return [*names, *self._egress.reap(live), *self.caches.prune()]

    def clear(self) -> None:
        with self._client() as client:
            for thing in self._things(client):
                _remove(thing)
        self._egress.reap(frozenset())
        self.caches.clear()

    def belongings(self) -> list[Belonging]:
        with self._client() as client:
            things = [_belonging(thing) for thing in self._things(client)]
        return [*things, *self._egress.belongings(), *self.caches.belongings()]

    def _client(self) -> AbstractContextManager[Any]:
        return connected(self._host)

    @contextlib.contextmanager
    def _cell(
        self, client: Any, run_id: str, policy: SandboxPolicy, base: _Base, outlet: Outlet | None = None
    ) -> Iterator[ContainerCell]:
        labels = {OWNER: self._owner, RUN: run_id, EXPIRES: str(int(clock(client) + policy.lifetime))}
        cell = ContainerCell(client, policy, image=base.image, runtime=self._runtime, labels=labels)
        cell.is_lone = base.is_lone
        cell.shown = outlet.folders if outlet else ()
        cell.volumes = volume_caches.shown(policy, self._owner)
        try:
            cell.make(self._users)
            if policy.cache:
                cell.settle()  # a daemon makes volumes that are not there
                volume_caches.confirm(client, policy)
            yield cell
        finally:
            cell.settle() if cell.kept else cell.remove()

    def _prove(self, client: Any, image: str, info: Mapping[str, Any], run_id: str) -> None:
        """Once per daemon and image; in a sandbox of the run, or the reaper would take that for left over."""
        verdict = (self._host, self._runtime, str(info["ID"]), image)
        with self._proving:
            if verdict not in self._proven:
                self._try(client, image, run_id)
                self._proven.add(verdict)

    def _try(self, client: Any, image: str, run_id: str) -> None:
        is_lone, missing = True, self._missing(client, _Base(image, is_lone=True), run_id)
        if missing is None:
            is_lone, missing = False, self._missing(client, _Base(image, is_lone=False), run_id)
        if missing:
            raise ConfigurationError(
                f"A sandbox on the Docker daemon at {self._host} does not have {'; '.join(missing)}."
                " Use a daemon that enforces what it accepts and the image that ops/images/build makes."
            )
        self._lone[image] = is_lone

    def _missing(self, client: Any, base: _Base, run_id: str) -> list[canaries.Guarantee] | None:
        """What sandboxes there do not have; None where programs do not know localhost and should."""
        policy = canaries.bounds(self._policy)
        with self._cell(client, run_id, policy, base) as cell:
            session = Session(cell, policy)
            if base.is_lone and session.exec(LOCALHOST).exit_status != 0:
                return None
            return gvisor.missing(session) if self._runtime == gvisor.RUNTIME else canaries.missing(session)

    def _things(self, client: Any, *labels: str) -> list[Any]:
        """The containers, then the volumes, of this installation that have these labels."""
        filters = {"label": [f"{OWNER}={self._owner}", *labels]}
        with translated():
            return [
                *client.containers.list(all=True, filters=filters, ignore_removed=True),
                *client.volumes.list(filters=filters),
            ]


def _info(client: Any) -> dict[str, Any]:
    """Takes the daemon a while: it runs programs for it."""
    with translated():
        return dict(client.info())


def _image(client: Any, name: str) -> str:
    """An id: a tag may be moved while it is used."""
    with translated():
        return str(client.images.get(name).id)


def _remove(thing: Any) -> None:
    with translated():
        containers.gone(thing)


def _label(thing: Any, name: str) -> str:
    attributes = thing.attrs.get("Config") or thing.attrs  # a container's, or a volume's
    return str((attributes.get("Labels") or {}).get(name, ""))


def _is_at_work(thing: Any, live: AbstractSet[str]) -> bool:
    return _label(thing, RUN) in live or _label(thing, RUN).startswith(canaries.PREFLIGHT)


def _belonging(thing: Any) -> Belonging:
    kind = Kind.CONTAINER if "Config" in thing.attrs else Kind.VOLUME
    since = moment(thing.attrs["Created" if kind is Kind.CONTAINER else "CreatedAt"])
    return Belonging(kind=kind, name=thing.name, run=_label(thing, RUN), since=since)


def _expires(thing: Any) -> float:
    return float(_label(thing, EXPIRES) or 0)
