"""Sandboxes as containers: no capabilities, no network, a read-only root, every limit set and its effect proven."""

import contextlib
import secrets
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, ClassVar

import docker

from entropy.errors import ConfigurationError, SandboxUnavailable
from entropy.sandbox.backends import containers
from entropy.sandbox.backends.containers import EXPIRES, OWNER, RUN, ContainerCell, daemon_time, translated
from entropy.sandbox.policy import MIB, SandboxPolicy
from entropy.sandbox.session import Session
from entropy.settings import SandboxSettings

CANARY = {"memory": 128 * MIB, "workspace": 16 * MIB, "tmp": 16 * MIB, "pids": 32}
"""Bounds small enough to be hit in no time."""

PROOFS = {
    "the tools it needs: sh, git, tar, head, grep and mktemp": "command -v git tar head grep mktemp",
    "the limit of memory": "! head -c 256m /dev/zero | tail -c 255m",
    "the size of the workspace": "! (for part in 1 2 3; do head -c 12m /dev/zero > $part || exit 1; done)",
    "the absence of a network": '[ "$(ls /sys/class/net)" = lo ]',
    # Last: what it starts stays.
    "the limit of processes": "! (i=0; while [ $i -lt 64 ]; do sleep 60 & i=$((i + 1)); done)",
}


class DockerBackend:
    """Makes sandboxes on one Docker daemon."""

    name = "docker"
    _proven: ClassVar[set[tuple[str, str]]] = set()

    def __init__(self, settings: SandboxSettings) -> None:
        self._host = settings.docker_host
        self._image = settings.image
        self._owner = settings.owner
        self._policy = SandboxPolicy.of(settings)

    def preflight(self) -> None:
        with self._client() as client:
            with translated():
                found = (client.info()["ID"], client.images.get(self._image).id)
            if found not in self._proven:
                self._prove(client)
                self._proven.add(found)

    @contextlib.contextmanager
    def open(self, run_id: str) -> Iterator[Session]:
        with self._client() as client:
            for thing in self._things(client):  # of an earlier attempt, whose worker has lost the run
                if _label(thing, RUN) == run_id:
                    _remove(thing)
            with self._cell(client, run_id, self._policy) as cell:
                session = Session(cell, self._policy)
                yield session
                cell.kept = session.kept

    def reap(self, live: AbstractSet[str]) -> list[str]:
        with self._client() as client:
            now = daemon_time(client)
            dead = [thing for thing in self._things(client) if _label(thing, RUN) not in live or _expires(thing) < now]
            for thing in dead:
                _remove(thing)
            return [thing.name for thing in dead]

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
    def _cell(self, client: Any, run_id: str, policy: SandboxPolicy) -> Iterator[ContainerCell]:
        cell = ContainerCell(client, policy, image=self._image, labels={OWNER: self._owner, RUN: run_id})
        try:
            cell.make()
            yield cell
        finally:
            if not cell.kept:
                cell.remove()

    def _prove(self, client: Any) -> None:
        policy = self._policy.model_copy(update=CANARY)
        with self._cell(client, f"preflight-{secrets.token_hex(4)}", policy) as cell:
            session = Session(cell, policy)
            for what, script in PROOFS.items():
                if session.exec(["sh", "-c", script], timeout=60).exit_status != 0:
                    raise ConfigurationError(
                        f"A sandbox on the Docker daemon at {self._host} does not have {what};"
                        " use a daemon that enforces limits and the image that ops/images/build makes."
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


def _expires(thing: Any) -> float:
    return float(_label(thing, EXPIRES) or 0)
