"""What a worker and one task of it say to each other: numbered objects of a bucket, at presigned addresses.

A task has no role and no credential but these addresses. Each is for one object below a folder that is the task's
alone and whose name cannot be guessed, either to read it or to write it with at most so many bytes, until the sandbox's
life is over; none lists, deletes, or leads to another task's folder. So whoever has them - the runner, work that has
taken it over, somebody to whom that work has sent them - can lie about what came of the sandbox's own commands, which
is for untrusted work to decide anyway, and can write these same objects again: the reaper and the bucket's lifecycle
rule remove them. A runner learns of each command's addresses with the command, so of none that is still to come but the
next.

The worker reads at most what a runner that keeps to its bounds may send, and takes nothing else for a report. The
collector's task has a folder of its own, of which the task that did the work never learns.
"""

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from entropy.errors import PolicyViolation
from entropy.models import Noun
from entropy.sandbox.backends import aws, bpf, launcher, runner, seccomp
from entropy.sandbox.command import Command
from entropy.sandbox.output import Output
from entropy.sandbox.policy import KIB, WORKSPACE, SandboxPolicy
from entropy.sections import EcsSettings

HELLO, WORKSPACE_TAR = "hello", "workspace.tar"
FORGED = "The sandbox answers with something that no runner writes; whatever runs there is not trusted with more."


class KeptStream(Noun):
    """What a runner kept of an output stream, in base64, and how long that was."""

    head: str
    tail: str
    total: int = Field(ge=0, lt=2**63)

    def fill(self, output: Output) -> bool:
        """Hand it to the command it belongs to; False where no runner can have kept that."""
        try:
            head, tail = (base64.b64decode(part, validate=True) for part in (self.head, self.tail))
        except (binascii.Error, ValueError):
            return False
        return output.restore(head, tail, self.total)


class CommandReport(Noun):
    """What a runner says came of a command."""

    status: int | None = Field(ge=0, le=255)
    seconds: float = Field(ge=0, allow_inf_nan=False)
    stdout: KeptStream
    stderr: KeptStream
    exported: int | None
    """How many bytes the command printed, where these were to be sent to the bucket."""
    trouble: str
    """Why it is not the command's fault, where it is not."""

    def fill(self, command: Command) -> bool:
        """Hand a command its output; False where no runner can have written this."""
        streams = [(self.stderr, command.stderr)]
        if self.exported is None:
            streams.append((self.stdout, command.stdout))
        return all(kept.fill(output) for kept, output in streams)


class Mailbox:
    """The worker's side of one task's folder."""

    def __init__(self, s3: Any, settings: EcsSettings, folder: str, policy: SandboxPolicy) -> None:
        self._s3 = s3
        self._settings = settings
        self._folder = folder
        self._policy = policy
        self._lifetime = int(policy.lifetime + settings.start_timeout)
        self._sent = 0

    def invite(self) -> str:
        """Put the runner there; returns the address at which a task finds it."""
        charter = {
            "lifetime": self._policy.lifetime,
            "poll": self._settings.poll,
            "workspace": WORKSPACE,
            "launcher": Path(launcher.__file__).read_text(),
            "terms": terms(self._policy, sockets=self._settings.sockets),
            "hello": self._form(HELLO, KIB),
            "next": self._address("1.order"),
        }
        source = f"{Path(runner.__file__).read_text()}\nserve(json.loads({json.dumps(charter)!r}))\n"
        self._put("runner", source.encode())
        return self._address("runner")

    def has_answered(self) -> bool | None:
        """True once the runner is at work; until then None."""
        return None if self._get(HELLO, KIB) is None else True

    def send(self, command: Command, *, source: str = "", size: int = 0, limit: int | None = None) -> None:
        """Order the next command, with its own input or `size` bytes from the address `source`.

        With a `limit`, in bytes, what it prints is not reported but sent to the bucket.
        """
        self._sent += 1
        if command.size:
            command.stdin.seek(0)
            self._put(f"{self._sent}.input", command.stdin, size=command.size)
            source, size = self._address(f"{self._sent}.input"), command.size
        order = {
            "argv": command.argv,
            "seconds": command.seconds,
            "input": source,
            "size": size,
            "keep": {"stdout": (0, 0) if limit is not None else command.stdout.bounds, "stderr": command.stderr.bounds},
            "export": None if limit is None else {"form": self._form(WORKSPACE_TAR, limit), "limit": limit},
            "report": self._form(f"{self._sent}.report", _largest(command)),
            "next": self._address(f"{self._sent + 1}.order"),
        }
        self._put(f"{self._sent}.order", json.dumps(order).encode())

    def report(self, command: Command) -> CommandReport | None:
        """What came of the last order, its output handed to `command`; None while that is open.

        Raises `PolicyViolation` when no runner wrote it.
        """
        data = self._get(f"{self._sent}.report", _largest(command))
        if data is None:
            return None
        try:
            report = CommandReport.model_validate_json(data, strict=True)
        except ValidationError:
            raise PolicyViolation(FORGED) from None
        if not report.fill(command):
            raise PolicyViolation(FORGED)
        return report

    def exported(self) -> tuple[str, int]:
        """The address of what a command has sent to the bucket, and its size as the bucket has it; 0 for nothing."""
        with aws.translated():
            try:
                answer = self._s3.head_object(Bucket=self._settings.bucket, Key=f"{self._folder}/{WORKSPACE_TAR}")
            except self._s3.exceptions.ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
                return "", 0
        return self._address(WORKSPACE_TAR), int(answer["ContentLength"])

    def _put(self, name: str, content: Any, size: int | None = None) -> None:
        place = {"Bucket": self._settings.bucket, "Key": f"{self._folder}/{name}"}
        length = len(content) if size is None else size
        with aws.translated():
            self._s3.put_object(Body=content, ContentLength=length, **place)

    def _get(self, name: str, largest: int) -> bytes | None:
        """At most so many bytes of an object; None when there is none."""
        with aws.translated():
            try:
                answer = self._s3.get_object(Bucket=self._settings.bucket, Key=f"{self._folder}/{name}")
            except self._s3.exceptions.NoSuchKey:
                return None
            with answer["Body"] as body:
                return bytes(body.read(largest))

    def _address(self, name: str) -> str:
        place = {"Bucket": self._settings.bucket, "Key": f"{self._folder}/{name}"}
        return str(self._s3.generate_presigned_url("get_object", Params=place, ExpiresIn=self._lifetime))

    def _form(self, name: str, largest: int) -> dict[str, Any]:
        """What it takes to write one object of at most so many bytes; only forms, not addresses, can bound a size."""
        form: dict[str, Any] = self._s3.generate_presigned_post(
            self._settings.bucket,
            f"{self._folder}/{name}",
            Conditions=[["content-length-range", 0, largest]],
            ExpiresIn=self._lifetime,
        )
        return form


def terms(policy: SandboxPolicy, *, sockets: bool) -> dict[str, Any]:
    """What the launcher holds each command to."""
    families = seccomp.FAMILIES if sockets else bpf.LOCAL
    filters = {name: base64.b64encode(bpf.program(name, families)).decode() for name in bpf.MACHINES}
    limits = {"processes": policy.pids, "file": policy.workspace, "files": policy.open_files, "core": 0}
    return {"filters": filters, "limits": limits, "environment": policy.environment}


def _largest(command: Command) -> int:
    """How long a report can be: two streams in base64, and words around them."""
    return 2 * sum(command.stdout.bounds) * 4 // 3 + 4 * KIB
