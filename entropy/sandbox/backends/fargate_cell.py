"""The tasks of one sandbox on Fargate: one that does the work, and one that looks at what it left.

The workspace lives in the memory of the task that works, and leaves it as a tar, packed after everything else there was
ended. It is untrusted, and is unpacked in the collector's task, which no untrusted process has ever been in. Work that
has taken its own task over could pack other files than it made: files that it could have made.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from entropy.errors import PolicyViolation, SandboxUnavailable
from entropy.sandbox.backends import unpacking
from entropy.sandbox.backends.fargate_tasks import FargateTasks, TaskDefinition
from entropy.sandbox.backends.mailbox import CommandReport, Mailbox
from entropy.sandbox.command import Command, Ending
from entropy.sandbox.policy import COLLECT_SECONDS, KIB, WORKSPACE, SandboxPolicy
from entropy.sections import EcsSettings

WORKER, COLLECTOR = "worker", "collector"
PACK = ("tar", "--create", "--file=-", "--hard-dereference", "--format=gnu", "--directory", WORKSPACE, ".")
KILLED = 137
LOOK_SECONDS = 5.0
"""Between two questions whether a task that says nothing still runs."""
FIRST_PAUSE = 0.02
WORDS = (4 * KIB, 4 * KIB)
"""What is kept of what packing and unpacking say."""


Found = TypeVar("Found")


class TaskEnded(Exception):
    """The task has stopped before it said what it was to say."""


class SandboxTask:
    """One task with its mailbox."""

    def __init__(self, tasks: FargateTasks, mailbox: Mailbox, settings: EcsSettings) -> None:
        self.mailbox = mailbox
        self._tasks = tasks
        self._settings = settings
        self._arn = ""
        self._is_ready = False

    def start(self, definition: TaskDefinition, policy: SandboxPolicy, run_id: str) -> None:
        """Have the task started; it is not waited for."""
        runner = self.mailbox.invite()
        self._arn = self._tasks.run(definition, policy, run_id=run_id, now=self._tasks.now(), runner=runner)

    def await_ready(self) -> None:
        """Wait for the runner; raises `SandboxUnavailable` when the task stops, or takes too long."""
        if not self._is_ready and not self._await(self.mailbox.has_answered, self._settings.start_timeout):
            self.stop()
            raise SandboxUnavailable(
                f"The Fargate task {self._arn} did not begin within {self._settings.start_timeout:g} s: look whether"
                " its subnets and security groups lead to the registry and to the bucket, and see"
                " ENTROPY_SANDBOX__ECS__START_TIMEOUT."
            )
        self._is_ready = True

    def obey(
        self, command: Command, *, source: str = "", size: int = 0, limit: int | None = None
    ) -> CommandReport | None:
        """Have a command run; None, and the task stopped, when the runner says nothing in time."""
        self.mailbox.send(command, source=source, size=size, limit=limit)
        try:
            report = self._await(lambda: self.mailbox.report(command), command.seconds + self._settings.grace)
        except PolicyViolation:
            self.stop()
            raise
        if report is None:
            self.stop()
        elif report.trouble:
            raise SandboxUnavailable(f"The Fargate task {self._arn} could not do its work: {report.trouble[:400]!r}")
        return report

    def stop(self) -> None:
        if self._arn:
            self._tasks.stop(self._arn)
            self._arn = ""

    def _await(self, look: Callable[[], Found | None], seconds: float) -> Found | None:
        """What `look` finds; None when that takes longer. Raises `TaskEnded` when there is nothing left to wait for."""
        deadline = time.monotonic() + seconds
        asked, pause = time.monotonic(), FIRST_PAUSE
        while (found := look()) is None:
            now = time.monotonic()
            if now > deadline:
                return None
            if now - asked > LOOK_SECONDS:
                asked = now
                if reason := self._tasks.ending(self._arn):
                    raise TaskEnded(reason)
            time.sleep(pause)
            pause = min(2 * pause, self._settings.poll)
        return found


class FargateCell:
    """One workspace: first with the task that works in it, then with the task that looks at it."""

    def __init__(self, begin: Callable[[str], SandboxTask], policy: SandboxPolicy) -> None:
        self._begin = begin
        self._policy = policy
        self._worker: SandboxTask | None = None
        self._collector: SandboxTask | None = None
        self._workspace: tuple[str, int] = ("", 0)
        self.kept = False

    def make(self) -> None:
        self._worker = self._begin(WORKER)
        try:
            self._worker.await_ready()
        except TaskEnded as error:
            raise SandboxUnavailable(f"The sandbox's Fargate task did not begin: {error}") from None

    def work(self, command: Command) -> Ending:
        if self._worker is None:
            raise SandboxUnavailable("The Fargate task of this sandbox has stopped, and its workspace is gone.")
        started = time.monotonic()
        try:
            report = self._worker.obey(command)
        except TaskEnded as error:
            command.stderr.feed(f"The sandbox's task has stopped ({error}); its workspace is gone.\n".encode())
            self._worker = None
            return Ending(KILLED, time.monotonic() - started)
        if report is None:
            self._worker = None
            return Ending(None, time.monotonic() - started)
        return Ending(report.status, report.seconds)

    def inspect(self, command: Command) -> Ending:
        if self._collector is None:
            raise SandboxUnavailable("There is no workspace to look at.")
        started = time.monotonic()
        try:
            self._collector.await_ready()
            self._unpack(self._collector)
            report = self._collector.obey(command)
        except TaskEnded as error:
            raise SandboxUnavailable(f"The collector's Fargate task has stopped: {error}") from None
        if report is None:
            return Ending(None, time.monotonic() - started)
        return Ending(report.status, report.seconds)

    def kill(self) -> None:
        """End all untrusted work, and take what it left to the bucket."""
        if self._worker is None:
            raise SandboxUnavailable("The Fargate task of this sandbox has stopped, and its workspace is gone.")
        try:
            self._collector = self._begin(COLLECTOR)  # begins while the workspace is packed
            self._workspace = self._packed(self._worker)
        except TaskEnded as error:
            raise SandboxUnavailable(f"The sandbox's task has stopped ({error}), its workspace is gone.") from None
        finally:
            self._worker.stop()
            self._worker = None

    def remove(self) -> None:
        for task in (self._worker, self._collector):
            if task is not None:
                task.stop()

    def release(self) -> None:
        """Leave what can be looked at, and only that."""
        if self._collector is not None:
            self._collector.stop()

    def _packed(self, worker: SandboxTask) -> tuple[str, int]:
        """Where the workspace lies in the bucket, and its size; raises `PolicyViolation` when it is none."""
        limit = self._policy.workspace + 2 * KIB * self._policy.inodes
        command = Command(PACK, seconds=COLLECT_SECONDS, keep=WORDS)
        report = worker.obey(command, limit=limit)
        if report is None:
            raise SandboxUnavailable("The sandbox's task did not hand over its workspace in time.")
        if report.status != 0:
            raise PolicyViolation(
                f"No patch could be made: the workspace cannot be packed; tar ended with status {report.status}."
                f" {_said(command)}"
            )
        address, size = worker.mailbox.exported()
        if not 0 < size <= limit:
            raise PolicyViolation("No patch could be made: the workspace holds more than it may.")
        return address, size

    def _unpack(self, collector: SandboxTask) -> None:
        source = Path(unpacking.__file__).read_text()
        words = (WORKSPACE, str(self._policy.workspace), str(self._policy.inodes))
        command = Command(("python3", "-I", "-c", source, *words), seconds=COLLECT_SECONDS, keep=WORDS)
        address, size = self._workspace
        report = collector.obey(command, source=address, size=size)
        if report is None or report.status != 0:
            raise PolicyViolation(f"No patch could be made: the workspace cannot be unpacked. {_said(command)}")


def _said(command: Command) -> str:
    return repr(" ".join(command.stderr.text()[-KIB:].split()))
