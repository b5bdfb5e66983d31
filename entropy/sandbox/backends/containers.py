"""The containers and the volume of one sandbox on a Docker daemon."""

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.volumes import Volume
from docker.types import LogConfig, Mount, Ulimit

from entropy.errors import ConfigurationError, SandboxUnavailable
from entropy.sandbox.backends import attachment, gvisor, seccomp, users
from entropy.sandbox.command import Command, Ending
from entropy.sandbox.egress.outlet import INSIDE
from entropy.sandbox.policy import CACHE, WORKSPACE, SandboxPolicy

RUN, PART, EXPIRES, OWNER = "entropy.run", "entropy.part", "entropy.expires", "entropy.owner"
USER = "entropy.user"
"""On volumes: whose it is, and so whom no other sandbox may be."""
NAMED = {"USER": "sandbox", "LOGNAME": "sandbox"}
"""For programs that ask who they are: an image cannot have a name for each user."""
GONE_SECONDS = 30.0


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Around each conversation with the daemon."""
    try:
        yield
    except ImageNotFound as error:
        raise ConfigurationError(
            f"The sandbox image is not on the Docker daemon ({error.explanation}); make it with ops/images/build."
        ) from error
    except (DockerException, attachment.NotStarted, OSError) as error:
        raise SandboxUnavailable(f"The Docker daemon does not serve: {error}") from error


def moment(told: str) -> float:
    """A time as the daemon writes it, in seconds since 1970."""
    return datetime.fromisoformat(told[:19] + "+00:00" if told.endswith("Z") else told).timestamp()


def gone(thing: Any) -> None:
    """Remove a container or a volume and wait until the daemon has forgotten it."""
    deadline = time.monotonic() + GONE_SECONDS
    while True:
        try:
            thing.remove(force=True)
            thing.reload()
        except NotFound:
            return
        except APIError as error:  # in use by a container that is just going, or just going itself
            if time.monotonic() > deadline:
                raise SandboxUnavailable(f"The Docker daemon does not remove {thing.name}: {error}") from error
            if isinstance(thing, Volume):
                _free(thing)
        time.sleep(0.01)


def _free(volume: Volume) -> None:
    """Remove containers that have the volume: the daemon goes on with what a worker asked for before it was killed."""
    for container in volume.client.containers.list(all=True, filters={"volume": volume.name}, sparse=True):
        with contextlib.suppress(APIError):  # it is just going
            container.remove(force=True)


class ContainerCell:
    """A volume in memory, a container that works in it and another, idle until the end, that looks at it."""

    def __init__(
        self, client: Any, policy: SandboxPolicy, *, image: str, labels: Mapping[str, str], runtime: str = ""
    ) -> None:
        self._client = client
        self._policy = policy
        self._image = image
        self._runtime = runtime
        self._labels = dict(labels)
        self._name = f"{labels[OWNER]}-{labels[RUN]}-{secrets.token_hex(4)}"
        self._collector: Future[Any] | None = None
        self._worker: Future[Any] | None = None
        self._volume: Any = None
        self._user = 0
        self._was_used = False
        self.kept = False
        self.shown: tuple[Path, ...] = ()
        """Of the daemon's machine, to untrusted work only: a way out, if there is one."""
        self.is_lone = False
        """Whether untrusted work needs nothing that comes with a network of the daemon's making."""
        self.volumes: Sequence[Mount] = ()
        """Further volumes, for untrusted work only."""

    def make(self, allowed: range) -> None:
        """Begin to: whatever comes next waits for what it needs, and nothing else."""
        with translated():
            self._claim(allowed)
        self._worker = self._begin("worker", tmp=self._policy.tmp)
        # It also keeps the volume's content, which lives only while a container uses it.
        self._collector = self._begin("collector", tmp=self._policy.memory // 2)

    def _claim(self, allowed: range) -> None:
        """Make the volume, for a user who is no other sandbox on this daemon.

        Workers on many machines may ask at once and the daemon has no lock: who finds another claim gives up its own.
        """
        taken = {int(volume.attrs["Labels"][USER]) for volume in self._client.volumes.list(filters={"label": USER})}
        for self._user in users.free(allowed, taken):
            self._volume = self._client.volumes.create(
                self._name,
                driver="local",
                driver_opts={
                    "type": "tmpfs",
                    "device": "tmpfs",
                    "o": f"{self._bounds(self._policy.workspace)},mode=0700",
                },
                labels={**self._labels, PART: "workspace", USER: str(self._user)},
            )
            if len(self._client.volumes.list(filters={"label": f"{USER}={self._user}"})) == 1:
                return
            gone(self._volume)

    def _bounds(self, size: int) -> str:
        owned = f"uid={self._user},gid={self._user},nosuid,nodev"
        return f"size={size},nr_inodes={self._policy.inodes},{owned}"

    def work(self, command: Command) -> Ending:
        with translated():
            if self._was_used:  # if not, there is nothing yet that could be lost with the container
                self._holding()
            self._was_used = True
            if self._worker is not None:
                with contextlib.suppress(attachment.NotStarted):  # an earlier command took the container down
                    return attachment.run(self._client.api, self._worker.result().id, command, kill=self.kill)
            self.kill()
            self._worker = self._begin("worker", tmp=self._policy.tmp)
            return attachment.run(self._client.api, self._worker.result().id, command, kill=self.kill)

    def inspect(self, command: Command) -> Ending:
        with translated():
            collector = self._holding()
            return attachment.run(self._client.api, collector.id, command, kill=collector.kill)

    def kill(self) -> None:
        worker, self._worker = self._worker, None
        with translated():
            _end(worker)

    def settle(self) -> None:
        """Wait until everything is there."""
        with translated():
            self._holding()
            if self._worker is not None:
                self._worker.result()

    def remove(self) -> None:
        with translated():
            for starting in (self._worker, self._collector):
                _end(starting)
            if self._volume is not None:
                gone(self._volume)

    def _holding(self) -> Any:
        """The collector, once it runs and so keeps the volume's content."""
        if self._collector is None:
            raise SandboxUnavailable("The sandbox was not made.")
        return self._collector.result()

    def _begin(self, part: str, *, tmp: int) -> Future[Any]:
        beside = ThreadPoolExecutor(1)
        try:
            return beside.submit(self._start, part, tmp)
        finally:
            beside.shutdown(wait=False)

    def _start(self, part: str, tmp: int) -> Any:
        writable = part == "worker"
        # The labels are for a volume that the daemon makes where there is none any more.
        labels = {**self._labels, PART: "workspace"}
        mounts = [Mount(WORKSPACE, self._name, type="volume", read_only=not writable, no_copy=True, labels=labels)]
        if writable and self._policy.builds_cache:
            mounts.append(Mount(CACHE, self._name, type="volume", no_copy=True))
        if writable:
            mounts += self.volumes
            mounts += [Mount(str(INSIDE), str(folder), type="bind", read_only=True) for folder in self.shown]
        container = self._client.containers.create(
            self._image,
            entrypoint=["sleep"],
            command=[str(int(self._policy.lifetime))],
            name=f"{self._name}-{part}-{secrets.token_hex(2)}",
            labels={**self._labels, PART: part},
            mounts=mounts,
            tmpfs={"/tmp": f"exec,{self._bounds(tmp)},mode=1777"},  # noqa: S108 - inside
            environment=self._policy.environment | NAMED,
            user=f"{self._user}:{self._user}",
            # Without a network of the daemon's making there is still the kernel's own, with as little in it.
            network_disabled=self.is_lone or not writable,
            **isolation(self._policy, self._runtime),
        )
        try:
            container.start()
        except BaseException:
            gone(container)
            raise
        return container


def _end(starting: Future[Any] | None) -> None:
    if starting is not None and starting.exception() is None:  # else there is no container
        gone(starting.result())


def isolation(policy: SandboxPolicy, runtime: str) -> dict[str, Any]:
    """What every container is denied."""
    pids = max(policy.pids, gvisor.PIDS) if runtime == gvisor.RUNTIME else policy.pids
    return {
        "auto_remove": True,
        "cap_drop": ["ALL"],
        "hostname": "sandbox",
        "init": True,
        "ipc_mode": "private",
        "log_config": LogConfig(type="none"),
        "mem_limit": policy.memory,
        "memswap_limit": policy.memory,
        "nano_cpus": int(policy.cpus * 1e9),
        "network_mode": "none",
        "oom_score_adj": 500,
        "pids_limit": pids,
        "read_only": True,
        "runtime": runtime or None,
        "security_opt": ["no-new-privileges", f"seccomp={seccomp.profile()}"],
        "shm_size": policy.shared_memory,
        "ulimits": [
            Ulimit(name="nofile", soft=policy.open_files, hard=policy.open_files),
            Ulimit(name="fsize", soft=policy.workspace, hard=policy.workspace),
            Ulimit(name="core", soft=0, hard=0),
        ],
        "working_dir": WORKSPACE,
    }
