"""The containers and the volume of one sandbox on a Docker daemon."""

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Mount, Ulimit

from entropy.errors import ConfigurationError, SandboxUnavailable
from entropy.sandbox.backends import attachment, seccomp
from entropy.sandbox.command import Command, Ending
from entropy.sandbox.egress.outlet import INSIDE
from entropy.sandbox.policy import UID, WORKSPACE, SandboxPolicy

RUN, PART, EXPIRES, OWNER = "entropy.run", "entropy.part", "entropy.expires", "entropy.owner"
GONE_SECONDS = 30.0
GVISOR, GVISOR_PIDS = "runsc", 1024
OWN = f"uid={UID},gid={UID},nosuid,nodev"


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
        time.sleep(0.01)


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
        self._collector: Any = None
        self._worker: Any = None
        self._volume: Any = None
        self.kept = False
        self.shown: tuple[Path, ...] = ()
        """Of the daemon's machine, to untrusted work only: a way out, if there is one."""

    def make(self) -> None:
        policy = self._policy
        options = f"size={policy.workspace},nr_inodes={policy.inodes},mode=0700,{OWN}"
        with translated():
            self._volume = self._client.volumes.create(
                self._name,
                driver="local",
                driver_opts={"type": "tmpfs", "device": "tmpfs", "o": options},
                labels={**self._labels, PART: "workspace"},
            )
            # It also keeps the volume's content, which lives only while a container uses it.
            self._collector = self._start("collector", writable=False, tmp=policy.memory // 2)
            self._worker = self._start("worker", writable=True, tmp=policy.tmp)

    def work(self, command: Command) -> Ending:
        with translated():
            if self._worker is not None:
                with contextlib.suppress(attachment.NotStarted):  # an earlier command took the container down
                    return attachment.run(self._client.api, self._worker.id, command, kill=self.kill)
            self.kill()
            self._worker = self._start("worker", writable=True, tmp=self._policy.tmp)
            return attachment.run(self._client.api, self._worker.id, command, kill=self.kill)

    def inspect(self, command: Command) -> Ending:
        with translated():
            return attachment.run(self._client.api, self._collector.id, command, kill=self._collector.kill)

    def kill(self) -> None:
        if self._worker is not None:
            with translated():
                gone(self._worker)
            self._worker = None

    def remove(self) -> None:
        with translated():
            for thing in (self._worker, self._collector, self._volume):
                if thing is not None:
                    gone(thing)

    def _start(self, part: str, *, writable: bool, tmp: int) -> Any:
        mounts = [Mount(WORKSPACE, self._name, type="volume", read_only=not writable, no_copy=True)]
        if writable:
            mounts += [Mount(str(INSIDE), str(folder), type="bind", read_only=True) for folder in self.shown]
        container = self._client.containers.create(
            self._image,
            entrypoint=["sleep"],
            command=[str(int(self._policy.lifetime))],
            name=f"{self._name}-{part}-{secrets.token_hex(2)}",
            labels={**self._labels, PART: part},
            mounts=mounts,
            tmpfs={"/tmp": f"exec,size={tmp},nr_inodes={self._policy.inodes},mode=1777,{OWN}"},  # noqa: S108 - inside
            environment=self._policy.environment,
            **isolation(self._policy, self._runtime),
        )
        try:
            container.start()
        except BaseException:
            gone(container)
            raise
        return container


def isolation(policy: SandboxPolicy, runtime: str) -> dict[str, Any]:
    """What every container is denied."""
    # gVisor's own threads count, and at the bound they all end, not the one that is too much.
    pids = max(policy.pids, GVISOR_PIDS) if runtime == GVISOR else policy.pids
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
        "user": f"{UID}:{UID}",
        "working_dir": WORKSPACE,
    }
