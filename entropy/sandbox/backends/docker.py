"""Sandboxes as containers: no capabilities, no network, a read-only root, every limit set and its effect proven."""

import contextlib
import threading
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import docker

from entropy.errors import ConfigurationError, SandboxUnavailable
from entropy.sandbox import canaries
from entropy.sandbox.backends import containers
from entropy.sandbox.backends.containers import EXPIRES, OWNER, RUN, ContainerCell, moment, translated
from entropy.sandbox.belongings import Belonging, Kind
from entropy.sandbox.egress.outlet import Egress, Outlet
from entropy.sandbox.policy import SandboxPolicy
from entropy.sandbox.session import Session
from entropy.settings import SandboxSettings


class _Place(NamedTuple):
    """What is asked of a daemon once per sandbox."""

    image: str
    """An id: a tag may be moved while it is used."""
    now: float
    """The daemon's clock: workers on several machines may share one daemon, and their clocks differ."""


class DockerBackend:
    """Makes sandboxes on one Docker daemon."""

    name = "docker"
    _proven: ClassVar[set[tuple[str, str, str, str]]] = set()
    """Addresses, runtimes, daemons and images that passed, for the life of this process and of those that it forks."""
    _proving: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, settings: SandboxSettings, egress: Egress | None = None) -> None:
        self._host = settings.docker_host
        self._runtime = settings.runtime
        self._owner = settings.owner
        self._policy = SandboxPolicy.of(settings)
        self._egress = egress or Egress(settings.egress)

    def preflight(self) -> tuple[str, ...]:
        with self._client() as client:
            self._ready(client, self._policy.image, canaries.preflight_name())
        return ()

    @contextlib.contextmanager
    def open(self, run_id: str, policy: SandboxPolicy | None = None) -> Iterator[Session]:
        policy = policy or self._policy
        with self._client() as client:
            place = self._ready(client, policy.image, run_id)
            for thing in self._things(client):  # of an earlier attempt, whose worker has lost the run
                if _label(thing, RUN) == run_id:
                    _remove(thing)
            with (
                self._egress.outlet(run_id, policy.network) as outlet,
                self._cell(client, run_id, policy, place, outlet) as cell,
            ):
                session = Session(cell, policy, outlet)
                yield session
                cell.kept = session.kept

    def reap(self, live: AbstractSet[str]) -> list[str]:
        with self._client() as client:
            with translated():
                now = moment(client.info()["SystemTime"])
            dead = [thing for thing in self._things(client) if _expires(thing) < now or not _is_at_work(thing, live)]
            for thing in dead:
                _remove(thing)
            return [*(thing.name for thing in dead), *self._egress.reap(live)]

    def clear(self) -> None:
        with self._client() as client:
            for thing in self._things(client):
                _remove(thing)
            self._egress.reap(frozenset())

    def belongings(self) -> list[Belonging]:
        with self._client() as client:
            return [*(_belonging(thing) for thing in self._things(client)), *self._egress.belongings()]

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        scheme, _, path = self._host.partition("://")
        if scheme == "unix" and not Path(path).is_socket():  # docker-py would leave a socket open
            raise SandboxUnavailable(f"No Docker daemon listens at {self._host}; start one with ops/services/docker.")
        with translated():
            client = docker.DockerClient(base_url=self._host)
        with contextlib.closing(client):
            yield client

    @contextlib.contextmanager
    def _cell(
        self, client: Any, run_id: str, policy: SandboxPolicy, place: _Place, outlet: Outlet | None = None
    ) -> Iterator[ContainerCell]:
        labels = {OWNER: self._owner, RUN: run_id, EXPIRES: str(int(place.now + policy.lifetime))}
        cell = ContainerCell(client, policy, image=place.image, runtime=self._runtime, labels=labels)
        cell.shown = outlet.folders if outlet else ()
        try:
            cell.make()
            yield cell
        finally:
            if not cell.kept:
                cell.remove()

    def _ready(self, client: Any, name: str, run_id: str) -> _Place:
        """The daemon, once the image is proven on it.

        It is proven in a sandbox of the run, or the reaper would take that for left over.
        """
        with translated():
            image, info = str(client.images.get(name).id), client.info()
        place = _Place(image, moment(info["SystemTime"]))
        verdict = (self._host, self._runtime, str(info["ID"]), image)
        with self._proving:
            if verdict not in self._proven:
                self._prove(client, place, run_id)
                self._proven.add(verdict)
        return place

    def _prove(self, client: Any, place: _Place, run_id: str) -> None:
        policy = canaries.bounds(self._policy)
        with self._cell(client, run_id, policy, place) as cell:
            missing = canaries.missing(Session(cell, policy))
        if missing:
            raise ConfigurationError(
                f"A sandbox on the Docker daemon at {self._host} does not have {'; '.join(missing)}."
                " Use a daemon that enforces what it accepts and the image that ops/images/build makes."
            )

    def _things(self, client: Any) -> list[Any]:
        """The containers, then the volumes, of this installation."""
        of_ours = {"label": f"{OWNER}={self._owner}"}
        with translated():
            return [
                *client.containers.list(all=True, filters=of_ours, ignore_removed=True),
                *client.volumes.list(filters=of_ours),
            ]


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
