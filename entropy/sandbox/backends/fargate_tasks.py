"""The Fargate tasks of one installation: started from a pinned definition that gives them no rights, found, stopped."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from entropy.errors import ConfigurationError, SandboxUnavailable
from entropy.sandbox.backends import aws
from entropy.sandbox.policy import MIB, SandboxPolicy
from entropy.sections import EcsSettings

RUN, EXPIRES, SINCE, OWNER = "entropy.run", "entropy.expires", "entropy.since", "entropy.owner"
RUNNER_VARIABLE = "ENTROPY_RUNNER"
BOOTSTRAP = (
    "import os, urllib.request as r; exec(r.build_opener(r.ProxyHandler({}))"
    f".open(os.environ.pop('{RUNNER_VARIABLE}'), timeout=60).read())"
)
ENTRY_POINT = ["python3", "-I", "-c"]
KEPT_CAPABILITIES = {"KILL", "SETGID", "SETUID"}
DROPPED_CAPABILITIES = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"),
    *("SETFCAP", "SETPCAP", "SYS_CHROOT"),
}
"""With those that are kept, all that a container has by default. Fargate could not add single ones to none."""
BATCH = 100
ENDED = ("DEPROVISIONING", "STOPPED", "DELETED")
"""In which no container of a task runs any more."""
STOP_SECONDS = 120.0
UNIT = 1024
SIZES: dict[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
"""How much memory in MiB Fargate sells with how many CPU units."""


class TaskDefinition(NamedTuple):
    """A registered definition that was looked at."""

    name: str
    arn: str
    container: str


class FargateTask(NamedTuple):
    """A task that is to run; times in seconds since 1970 on AWS's clock."""

    arn: str
    run: str
    since: float
    expires: float

    @property
    def name(self) -> str:
        return f"{self.run}/{self.arn.rpartition('/')[2]}"


def size(policy: SandboxPolicy) -> tuple[int, int]:
    """The smallest task in CPU units and MiB that holds a policy; raises `ConfigurationError` if there is none."""
    wanted = -(-policy.memory // MIB)
    for units, memories in SIZES.items():
        fitting = [memory for memory in memories if memory >= wanted]
        if fitting and units >= policy.cpus * UNIT:
            return units, fitting[0]
    raise ConfigurationError(
        f"Fargate has no task with {policy.cpus:g} processors and {wanted} MiB; lower ENTROPY_SANDBOX__CPUS or"
        " ENTROPY_SANDBOX__MEMORY_MIB."
    )


class FargateTasks:
    """Conversations with ECS about the tasks that one installation has in one cluster."""

    def __init__(self, ecs: Any, settings: EcsSettings, owner: str) -> None:
        self._ecs = ecs
        self._settings = settings
        self._owner = owner

    def now(self) -> float:
        """AWS's clock; raises `ConfigurationError` when the cluster is not there."""
        with aws.translated():
            answer = self._ecs.describe_clusters(clusters=[self._settings.cluster])
        if not any(cluster["status"] == "ACTIVE" for cluster in answer["clusters"]):
            raise ConfigurationError(
                f"There is no ECS cluster {self._settings.cluster}; create it, or set ENTROPY_SANDBOX__ECS__CLUSTER."
            )
        return aws.moment(answer)

    def definition(self, name: str) -> TaskDefinition:
        """The definition of this name; raises `ConfigurationError` when it gives more than a sandbox may have."""
        with aws.translated():
            found = self._ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
        if said := list(faults(found)):
            raise ConfigurationError(
                f"The task definition {name} {'; '.join(said)}. Register ops/ecs/task-definition.json, and set"
                " ENTROPY_SANDBOX__ECS__TASK_DEFINITION to the revision."
            )
        return TaskDefinition(name, found["taskDefinitionArn"], found["containerDefinitions"][0]["name"])

    def run(self, definition: TaskDefinition, policy: SandboxPolicy, *, run_id: str, now: float, runner: str) -> str:
        """Start a task that fetches its runner from an address; returns its ARN."""
        units, memory = size(policy)
        expires = now + self._settings.start_timeout + policy.lifetime
        told = {OWNER: self._owner, RUN: run_id, SINCE: int(now), EXPIRES: int(expires)}
        container = {
            "name": definition.container,
            "command": [BOOTSTRAP],
            "environment": [{"name": RUNNER_VARIABLE, "value": runner}],
            "memory": policy.memory // MIB,
        }
        network = {
            "subnets": list(self._settings.subnets),
            "securityGroups": list(self._settings.security_groups),
            "assignPublicIp": "DISABLED",
        }
        with aws.translated():
            answer = self._ecs.run_task(
                cluster=self._settings.cluster,
                taskDefinition=definition.arn,
                launchType="FARGATE",
                platformVersion=self._settings.platform_version,
                enableExecuteCommand=False,
                startedBy=self._owner,
                networkConfiguration={"awsvpcConfiguration": network},
                overrides={"cpu": str(units), "memory": str(memory), "containerOverrides": [container]},
                tags=[{"key": key, "value": str(value)} for key, value in told.items()],
            )
        if not answer["tasks"]:
            reasons = "; ".join(str(failure.get("reason")) for failure in answer["failures"])
            raise SandboxUnavailable(f"Fargate starts no task now: {reasons}.")
        return str(answer["tasks"][0]["taskArn"])

    def ending(self, arn: str) -> str | None:
        """Why a task has stopped or is about to; None while it is to run."""
        (task,) = self._described([arn]) or [{"lastStatus": "DELETED"}]
        if task.get("desiredStatus") == "RUNNING" and task["lastStatus"] not in ENDED:
            return None
        reasons = [task.get("stoppedReason"), *(container.get("reason") for container in task.get("containers", ()))]
        return "; ".join(str(reason) for reason in reasons if reason) or "it is gone"

    def stop(self, arn: str) -> None:
        """Stop a task and wait until none of its containers runs."""
        with aws.translated():
            self._ecs.stop_task(cluster=self._settings.cluster, task=arn, reason="The sandbox is closed.")
        deadline = time.monotonic() + STOP_SECONDS
        while any(task["lastStatus"] not in ENDED for task in self._described([arn])):
            if time.monotonic() > deadline:
                raise SandboxUnavailable(f"The Fargate task {arn} does not stop.")
            time.sleep(self._settings.poll)

    def all(self) -> list[FargateTask]:
        """Those that are to run."""
        with aws.translated():
            pages = self._ecs.get_paginator("list_tasks").paginate(
                cluster=self._settings.cluster, startedBy=self._owner
            )
            arns = [arn for page in pages for arn in page["taskArns"]]
        found = self._described(arns)
        return [_task(task) for task in found if task["desiredStatus"] == "RUNNING" and _tags(task).get(OWNER)]

    def _described(self, arns: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for first in range(0, len(arns), BATCH):
            with aws.translated():
                answer = self._ecs.describe_tasks(
                    cluster=self._settings.cluster, tasks=arns[first : first + BATCH], include=["TAGS"]
                )
            found += answer["tasks"]
        return found


def faults(definition: Mapping[str, Any]) -> Iterator[str]:
    """What a definition has that no sandbox may have, or lacks, in words that follow its name."""
    containers = definition["containerDefinitions"]
    if definition.get("taskRoleArn"):
        yield "has a task role, whose rights untrusted work would have"
    if definition.get("networkMode") != "awsvpc" or "FARGATE" not in definition.get("requiresCompatibilities", ()):
        yield "is not for Fargate"
    if len(containers) != 1 or definition.get("volumes"):
        yield "has other containers or volumes"
    container = containers[0]
    linux = container.get("linuxParameters", {})
    if container.get("entryPoint") != ENTRY_POINT or container.get("user") not in ("0", "0:0", "root"):
        yield f"does not begin as the user 0:0 with {' '.join(ENTRY_POINT)}"
    if container.get("privileged") or not container.get("readonlyRootFilesystem"):
        yield "has a root file system that is not read-only"
    if container.get("secrets") or container.get("environment") or container.get("environmentFiles"):
        yield "hands an environment to untrusted work"
    if not linux.get("initProcessEnabled"):
        yield "has no init process"
    if capabilities := linux.get("capabilities", {}):
        kept = DROPPED_CAPABILITIES - set(capabilities.get("drop", ()))
        if kept or capabilities.get("add"):
            yield f"leaves capabilities: {', '.join(sorted({*kept, *capabilities.get('add', ())}))}"
    else:
        yield "leaves all capabilities"


def _tags(task: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in task.get("tags", ())}


def _task(task: Mapping[str, Any]) -> FargateTask:
    tags = _tags(task)
    return FargateTask(task["taskArn"], tags.get(RUN, ""), float(tags.get(SINCE, 0)), float(tags.get(EXPIRES, 0)))
