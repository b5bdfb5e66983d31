"""The one hardened way to run git: no configuration of the machine, no hooks, no prompts, no foreign protocols."""

import base64
import io
import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, BinaryIO, NamedTuple, cast

from entropy import settings
from entropy.errors import ConfigurationError, ForgeUnavailable, IllegalStep, TransientError
from entropy.models import Secret

LOCAL_SECONDS = 120.0
WRITE_SECONDS = 600.0
NETWORK_SECONDS = 600.0
OUTPUT_LIMIT = 64 * 1024 * 1024
CHUNK = 64 * 1024
_TELLING = re.compile(r"(fatal|error): ")
NOTHING: Mapping[str, str] = MappingProxyType({})

HARDENING = {
    "core.hooksPath": "/dev/null",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "core.fsmonitor": "false",
    "core.protectHFS": "true",
    "core.protectNTFS": "true",
    # So that neither large files nor large packs are ever whole in memory.
    "core.bigFileThreshold": "32m",
    "core.packedGitLimit": "64m",
    "core.packedGitWindowSize": "16m",
    "credential.helper": "",
    # A detached gc would outlive the lock that fetch holds.
    "gc.autoDetach": "false",
    # A redirect would carry the credential to another address.
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    "transfer.fsckObjects": "true",
    # Three blemishes that well-known old histories have and that harm nobody.
    "fetch.fsck.badTimezone": "warn",
    "fetch.fsck.missingSpaceBeforeDate": "warn",
    "fetch.fsck.zeroPaddedFilemode": "warn",
}


class Answer(NamedTuple):
    """What git said. `output` longer than the limit means that git was stopped there."""

    status: int
    output: bytes
    error: str


class _Command(NamedTuple):
    arguments: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]
    stdin: bytes
    limit: int
    seconds: float
    inherit: tuple[int, ...] = ()
    sink: BinaryIO | None = None
    """Where the output goes that would be too much for an `Answer`."""


class Git:
    """Git in one bare repository. `token` is sent to `url` and to nothing else, and is in no argument and no file."""

    def __init__(self, directory: Path, *, url: str, token: Secret | None, protocols: tuple[str, ...]) -> None:
        self.directory = directory
        self.url = url
        self._token = token
        self._protocols = protocols

    def read(
        self, *arguments: str, stdin: bytes = b"", limit: int = OUTPUT_LIMIT, environment: Mapping[str, str] = NOTHING
    ) -> bytes:
        """The output of a command that has no reason to fail; at most ``limit + 1`` bytes of it."""
        answer = self.run(*arguments, stdin=stdin, limit=limit, environment=environment)
        if answer.status and len(answer.output) <= limit:
            raise TransientError(f"git {arguments[0]} failed on the mirror of {self.url}: {answer.error}.")
        return answer.output

    def run(
        self, *arguments: str, stdin: bytes = b"", limit: int = OUTPUT_LIMIT, environment: Mapping[str, str] = NOTHING
    ) -> Answer:
        """Run a command on this machine only."""
        surroundings = self._environment(HARDENING) | dict(environment)
        return self._local(_Command(arguments, self.directory, surroundings, stdin, limit, LOCAL_SECONDS))

    def write(self, *arguments: str, into: BinaryIO, limit: int) -> int:
        """Write the output of a command that has no reason to fail to a file; gives how many bytes there are.

        It is stopped at one byte more than the limit.
        """
        surroundings = self._environment(HARDENING)
        command = _Command(arguments, self.directory, surroundings, b"", limit, WRITE_SECONDS, sink=into)
        start = into.tell()
        answer = self._local(command)
        written = into.tell() - start
        if answer.status and written <= limit:
            raise TransientError(f"git {arguments[0]} failed on the mirror of {self.url}: {answer.error}.")
        return written

    def _local(self, command: _Command) -> Answer:
        try:
            return self._answer(command)
        except TimeoutError:
            raise TransientError(
                f"git {command.arguments[0]} took longer than {command.seconds:g} seconds; see the load."
            ) from None

    def remote(self, *arguments: str, inherit: tuple[int, ...] = ()) -> Answer:
        """Run a command that speaks to the forge; the only kind that holds the credential.

        It keeps the file descriptors in `inherit` open for as long as it lives.
        """
        surroundings = self._environment(HARDENING | self._credential())
        command = _Command(arguments, self.directory, surroundings, b"", OUTPUT_LIMIT, NETWORK_SECONDS, inherit)
        try:
            return self._answer(command)
        except TimeoutError:
            raise ForgeUnavailable(f"{self.url} did not finish within {NETWORK_SECONDS:g} seconds.") from None

    def _answer(self, command: _Command) -> Answer:
        if not self.directory.is_dir():
            raise IllegalStep(f"There is no mirror of {self.url} on this machine yet; fetch it first.")
        try:
            return self._readable(_execute(command))
        except FileNotFoundError:
            raise ConfigurationError("git is not on PATH; install it.") from None

    def _environment(self, configuration: Mapping[str, str]) -> dict[str, str]:
        pairs = list(configuration.items())
        return settings.inherited("PATH") | {
            "HOME": str(self.directory / "home"),
            "LC_ALL": "C",
            "GIT_DIR": str(self.directory),
            "GIT_ALLOW_PROTOCOL": ":".join(self._protocols),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_CONFIG_COUNT": str(len(pairs)),
            **{f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in enumerate(pairs)},
            **{f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(pairs)},
        }

    def _credential(self) -> dict[str, str]:
        if self._token is None:
            return {}
        return {f"http.{self.url}.extraHeader": f"Authorization: Basic {_basic(self._token)}"}

    def _readable(self, answer: Answer) -> Answer:
        """The lines of the error that matter, without the credential and without what would steer a terminal."""
        text = answer.error
        for secret in (self._token.reveal(), _basic(self._token)) if self._token else ():
            text = text.replace(secret, "***")
        lines = ["".join(filter(str.isprintable, line)).strip().rstrip(".") for line in text.splitlines()]
        telling = [_TELLING.sub("", line) for line in lines if _TELLING.match(line)]
        return answer._replace(error="; ".join(telling or filter(None, lines))[:500] or "git gave no reason")


def _basic(token: Secret) -> str:
    return base64.b64encode(f"x-access-token:{token.reveal()}".encode()).decode()


def _execute(command: _Command) -> Answer:
    """Run it; when this returns or raises, nothing of it is alive."""
    deadline = time.monotonic() + command.seconds
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as errors:
        source.write(command.stdin)
        source.seek(0)
        with subprocess.Popen(
            ("git", *command.arguments), cwd=command.directory, env=command.environment,
            stdin=source, stdout=subprocess.PIPE, stderr=errors, start_new_session=True, pass_fds=command.inherit,
        ) as process:  # fmt: skip
            output = io.BytesIO()
            try:
                _drain(process, command.sink or output, command.limit, deadline)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        errors.seek(0)
        return Answer(process.returncode, output.getvalue(), errors.read(64 * 1024).decode("utf-8", "replace"))


def _drain(process: subprocess.Popen[bytes], sink: BinaryIO, limit: int, deadline: float) -> None:
    """Read to the end of the process, or to one byte more than the limit."""
    room = limit + 1
    pipe = cast(IO[bytes], process.stdout)
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while room:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            chunk = os.read(pipe.fileno(), min(CHUNK, room))
            if not chunk:
                return _wait(process, deadline)
            sink.write(chunk)
            room -= len(chunk)


def _wait(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
