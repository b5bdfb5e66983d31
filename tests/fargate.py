"""A Fargate for tests: moto's ECS and S3 over HTTP, and whatever tasks moto says are to run as Docker containers.

A container gets from the task definition and the overrides what Fargate makes of them: image, user, entry point,
command, environment, memory, tmpfs, capabilities, init process, read-only root. What it does not show: that S3 checks a
signature, an expiry or the size that a form allows (moto takes everything), that ECS refuses a request or a capacity is
lacking, IAM, and security groups. A task here has the network of this machine, on whose loopback moto listens, and
shares this machine's kernel, where Fargate gives it one of its own; the daemon's default filter of system calls stands
for Fargate's. Starting takes a fraction of a second. The owner of the workspace is a user of its own per installation,
since a kernel counts processes by user.
"""

import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import docker
from botocore.config import Config
from docker.errors import APIError, NotFound
from docker.types import LogConfig

REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
LABEL = "entropy.test.fargate"
DEFINITION = Path(__file__).parents[1] / "ops" / "ecs" / "task-definition.json"
CLUSTER = "sandboxes"
LOOK = 0.2
TAMPERING = r"""
import os, urllib.request
source = urllib.request.urlopen(os.environ.pop("ENTROPY_RUNNER")).read().decode()
exec(source.replace("\nserve(", TAMPER))
"""
DEFAULT_CAPABILITIES = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}


@contextlib.contextmanager
def moto_server() -> Iterator[str]:
    """The address of a moto whose tasks stay as they are until somebody stops them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = Path(sys.executable).parent / "moto_server"
    environment = {**os.environ, **CREDENTIALS}
    with subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            _await_port(port, server)
            still = {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 10**9}}
            body = json.dumps(still).encode()
            urllib.request.urlopen(f"{address}/moto-api/state-manager/set-transition", body, timeout=30).close()
            yield address
        finally:
            server.terminate()


def _await_port(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert server.poll() is None, "moto has ended"
        assert time.monotonic() < deadline, "moto does not begin"
        time.sleep(0.05)


def client(name: str, address: str) -> Any:
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 5})
    return boto3.session.Session().client(name, region_name=REGION, endpoint_url=address, config=config)


class Fargate:
    """Runs the tasks of one moto as containers."""

    def __init__(self, address: str, host: str, image: str) -> None:
        self.address = address
        self.mark = secrets.token_hex(6)
        self.uid = 20000 + secrets.randbelow(40000)
        self._image = image
        self._docker = docker.DockerClient(base_url=host)
        self._ecs = client("ecs", address)
        self._ecs.create_cluster(clusterName=CLUSTER)
        self.tamper = ""
        """Code that the runner of each run's first task is changed by, as if work had taken it over."""
        self._runs: set[str] = set()
        self._tasks: dict[str, Any] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fargate")

    def __enter__(self) -> "Fargate":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for container in self.containers():
            _remove(container)
        self._ecs.close()
        self._docker.close()

    def containers(self) -> list[Any]:
        """Those of tasks."""
        found = self._docker.containers.list(all=True, filters={"label": f"{LABEL}={self.mark}"}, ignore_removed=True)
        return list(found)

    def register(self, **changes: Any) -> str:
        """Register the definition of ops/ecs, with small file systems; returns its name and revision."""
        definition = json.loads(DEFINITION.read_text())
        container = definition["containerDefinitions"][0]
        for mount, size in zip(container["linuxParameters"]["tmpfs"], (64, 32), strict=True):
            mount["size"] = size
            options = [option for option in mount["mountOptions"] if not option.startswith(("nr_inodes", "uid", "gid"))]
            mount["mountOptions"] = [*options, "nr_inodes=16384", f"uid={self.uid}", f"gid={self.uid}"]
        definition.update({key: value for key, value in changes.items() if key in ("taskRoleArn", "family")})
        container.update({key: value for key, value in changes.items() if key not in ("taskRoleArn", "family")})
        made = self._ecs.register_task_definition(**definition)["taskDefinition"]
        return f"{made['family']}:{made['revision']}"

    def _run(self) -> None:
        while not self._over.wait(LOOK):
            found = self._ecs.list_tasks(cluster=CLUSTER, desiredStatus="RUNNING")["taskArns"]
            if new := [arn for arn in found if arn not in self._tasks]:
                for task in self._ecs.describe_tasks(cluster=CLUSTER, tasks=new, include=["TAGS"])["tasks"]:
                    self._tasks[task["taskArn"]] = self._start(task)
            for arn, container in list(self._tasks.items()):
                if arn not in found and arn not in new:
                    _remove(container)
                    del self._tasks[arn]
                elif _has_ended(container):
                    self._ecs.stop_task(cluster=CLUSTER, task=arn, reason="Essential container in task exited")

    def _start(self, task: Any) -> Any:
        definition = self._ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
        (container,) = definition["containerDefinitions"]
        (override,) = task["overrides"]["containerOverrides"]
        linux = container["linuxParameters"]
        dropped = set(linux["capabilities"]["drop"])
        assert dropped <= DEFAULT_CAPABILITIES, "Docker would know more of them"
        memory = override["memory"] << 20
        command = override.get("command", container["command"])
        (run,) = [tag["value"] for tag in task["tags"] if tag["key"] == "entropy.run"]
        if self.tamper and run not in self._runs:
            command = [TAMPERING.replace("TAMPER", repr(f"\n{self.tamper}\nserve("))]
        self._runs.add(run)
        return self._docker.containers.run(
            self._image,
            entrypoint=container["entryPoint"],
            command=command,
            environment={pair["name"]: pair["value"] for pair in override.get("environment", ())},
            user=container["user"],
            working_dir=container["workingDirectory"],
            read_only=container["readonlyRootFilesystem"],
            init=linux["initProcessEnabled"],
            tmpfs={m["containerPath"]: ",".join([f"size={m['size']}m", *m["mountOptions"]]) for m in linux["tmpfs"]},
            cap_drop=sorted(dropped),
            mem_limit=memory,
            memswap_limit=memory,
            nano_cpus=int(task["overrides"].get("cpu", definition["cpu"])) * 1_000_000,
            network_mode="host",
            log_config=LogConfig(type="none"),
            labels={LABEL: self.mark, "task": re.sub(".*/", "", task["taskArn"])},
            detach=True,
            auto_remove=True,
        )


def _has_ended(container: Any) -> bool:
    try:
        container.reload()
    except NotFound:
        return True
    return bool(container.status == "exited")


def _remove(container: Any) -> None:
    with contextlib.suppress(APIError):  # it may be gone, or just going
        container.remove(force=True)
