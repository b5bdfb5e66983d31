"""The Pod of one sandbox: its start, its lives, and its end."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

from websocket import WebSocketConnectionClosedException

from entropy.errors import ConfigurationError, PolicyViolation, SandboxUnavailable
from entropy.sandbox.backends import pod_exec, pods
from entropy.sandbox.backends.cluster import Cluster, translated
from entropy.sandbox.backends.pods import COLLECTOR, LIVES, NAME, OWNER, RUN, Body
from entropy.sandbox.command import Command, Ending
from entropy.sandbox.policy import SandboxPolicy
from entropy.sections import KubernetesSettings

KILLED = 137
POLL = 0.2
END_SECONDS = 60.0
"""For the cluster to say that a container has terminated that was told to: a second or two, unless a node is busy."""
AGAIN_SECONDS = 5.0
"""Until it is told once more: untrusted work may have caught what was said."""
GONE_SECONDS = 60.0
NO_IMAGE = ("ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName", "ImageInspectError")
NO_CONTAINER = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff")
LOST = "Untrusted work did not end when it was told to, so its sandbox was removed with all that it had made."
SPENT = f"Untrusted work has ended its container {len(LIVES)} times, by time limits or by taking too much: that is all."


class PodCell:
    """A Pod whose containers share a workspace in memory."""

    def __init__(
        self, cluster: Cluster, policy: SandboxPolicy, settings: KubernetesSettings, *, owner: str, run: str
    ) -> None:
        self._cluster = cluster
        self._policy = policy
        self._settings = settings
        self._name = f"{owner}-{run}-{secrets.token_hex(4)}".lower()
        self._labels = {OWNER: owner, RUN: run}
        self._pod = ""
        self._version = ""
        self._lives = list(LIVES)
        self._used = False
        self._lost = False
        self.node = ""
        """Where it runs, and what image: known once it does."""
        self.image = ""
        self.kept = False
        self.end_seconds = END_SECONDS

    def make(self, node: str = "") -> None:
        """Ask for the Pod and wait until it runs; raises when it does not within the settings' time."""
        with translated():
            body = pods.pod(self._name, self._policy, self._settings, labels=self._labels, node=node)
            self._version = self._cluster.agent_sandboxes()
            if self._version:
                _, now = self._cluster.pods(**self._labels)
                body = pods.agent_sandbox(body, self._version, ends=_stamp(now + self._policy.lifetime))
            self._cluster.create(body)
            found = self._until(lambda: _started(self._found()), self._settings.start_timeout)
        if found is None:
            raise SandboxUnavailable(_waiting(self._found(), self._settings.start_timeout))
        self._pod, self.node = found["metadata"]["name"], found["spec"]["nodeName"]
        self.image = found["status"]["containerStatuses"][0]["imageID"]

    def work(self, command: Command) -> Ending:
        with translated():
            with contextlib.suppress(pod_exec.NotBegun):  # an earlier command took the life, or all the processes
                return self._work(command)
            self.kill()
            return self._work(command)

    def inspect(self, command: Command) -> Ending:
        self._check()
        with translated():
            try:
                return self._run(COLLECTOR, command, kill=self._give_up)
            except pod_exec.Cut as error:
                raise SandboxUnavailable(f"The connection to the collector broke off: {error}.") from error

    def kill(self) -> None:
        """End the life in use, by the cluster's own word, or else the whole Pod."""
        if not self._used:
            return
        with translated():
            life = self._lives.pop(0)
            self._used = False
            if not self._has_been_ended(life):
                self._give_up()

    def remove(self) -> None:
        with translated():
            gone(self._cluster, self._name, self._version)

    def _work(self, command: Command) -> Ending:
        self._check()
        if not self._lives:
            raise PolicyViolation(SPENT)
        self._used = True
        life = self._lives[0]
        try:
            return self._run(life, command, kill=self.kill, limits=pods.process_limits(self._policy))
        except pod_exec.Cut as error:
            if self._until(lambda: _has_ended(self._found(), life), self.end_seconds):
                return Ending(KILLED, 0.0)
            raise SandboxUnavailable(f"The connection to the sandbox broke off: {error}.") from error

    def _run(self, container: str, command: Command, *, kill: Callable[[], None], limits: str = "") -> Ending:
        argv = pod_exec.argv(command, pods.environment(self._policy), limits)
        return pod_exec.run(self._cluster.execute(self._pod, container, argv), command, kill=kill)

    def _check(self) -> None:
        if self._lost:
            raise PolicyViolation(LOST)

    def _has_been_ended(self, life: str) -> bool:
        deadline = time.monotonic() + self.end_seconds
        while (left := deadline - time.monotonic()) > 0:
            # It may have ended by itself; then there is nobody to tell.
            with contextlib.suppress(pod_exec.NotBegun, WebSocketConnectionClosedException, OSError):
                pod_exec.send_line(self._cluster.attach(self._pod, life))
            if self._until(lambda: _has_ended(self._found(), life), min(AGAIN_SECONDS, left)):
                return True
        return False

    def _give_up(self) -> None:
        """The cluster removes a Pod's object only when its containers are gone."""
        self._lost = True
        gone(self._cluster, self._name, self._version)

    def _found(self) -> Body:
        found, _ = self._cluster.pods(**{NAME: self._name})
        return found[0] if found else {}

    def _until(self, condition: Callable[[], Any], seconds: float) -> Any:
        """What the condition comes to be, or None."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if met := condition():
                return met
            time.sleep(POLL)
        return None


def gone(cluster: Cluster, name: str, version: str) -> None:
    """Remove a sandbox's Pod and wait until the cluster has forgotten it."""
    deadline = time.monotonic() + GONE_SECONDS
    cluster.delete(name, version)
    while cluster.pods(**{NAME: name})[0]:
        if time.monotonic() > deadline:
            raise SandboxUnavailable(f"The cluster does not remove the Pod {name}; is its node still there?")
        time.sleep(POLL)


def _statuses(pod: Body) -> Iterator[tuple[str, Body]]:
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        yield status["name"], status.get("state") or {}


def _started(pod: Body) -> Body | None:
    """The Pod once all its containers run; raises when they never will."""
    states = dict(_statuses(pod))
    _refuse(pod, states)
    running = [name for name, state in states.items() if "running" in state]
    return pod if len(running) == len(LIVES) + 1 else None


def _refuse(pod: Body, states: dict[str, Body]) -> None:
    reasons = {state["waiting"].get("reason", ""): state["waiting"].get("message", "") for state in _waits(states)}
    for reason, message in reasons.items():
        if reason in NO_IMAGE:
            raise ConfigurationError(
                f"The cluster has not got the image of sandboxes ({reason}: {message}); push it to a registry that its"
                " nodes reach and name it in ENTROPY_SANDBOX__IMAGE: ops/images/build makes it."
            )
        if reason in NO_CONTAINER:
            raise ConfigurationError(
                f"A node cannot start the containers of a sandbox ({reason}: {message}); check"
                " ENTROPY_SANDBOX__KUBERNETES__SECCOMP, …__RUNTIME_CLASS and …__USER_NAMESPACES against the node."
            )
    status = pod.get("status") or {}
    if status.get("phase") in ("Failed", "Succeeded"):
        raise SandboxUnavailable(
            f"The Pod of a sandbox ended before it was used: {status.get('reason') or status['phase']}"
            f" {status.get('message') or ''}"
        )


def _waits(states: dict[str, Body]) -> list[Body]:
    return [state for state in states.values() if state.get("waiting")]


def _waiting(pod: Body, seconds: float) -> str:
    """Why a Pod does not run, in the scheduler's words if it has any."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    said = [found["message"] for found in conditions if found.get("status") == "False" and found.get("message")]
    said += [
        f"{wait['waiting'].get('reason')} {wait['waiting'].get('message') or ''}"
        for wait in _waits(dict(_statuses(pod)))
    ]
    return (
        f"The Pod of a sandbox did not run within {seconds:g} s ({'; '.join(said) or 'nothing was said'}); add nodes,"
        " or raise ENTROPY_SANDBOX__KUBERNETES__START_TIMEOUT."
    )


def _has_ended(pod: Body, life: str) -> bool:
    """By the word of the node: the container has terminated, or the Pod with all its containers is gone."""
    if not pod:
        raise SandboxUnavailable("The Pod of the sandbox is gone: somebody has removed it, or its node was.")
    return any(name == life and "terminated" in state for name, state in _statuses(pod))


def _stamp(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
