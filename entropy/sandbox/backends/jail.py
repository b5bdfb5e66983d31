"""One process in bubblewrap's namespaces: fed, drained, timed, and gone with all its children when it ends."""

import contextlib
import fcntl
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple, cast

from entropy.errors import SandboxUnavailable
from entropy.sandbox.backends import bpf
from entropy.sandbox.command import Command, Ending
from entropy.sandbox.output import Output

CHUNK = 65536
PIPE = 1 << 20
"""What a pipe for much input holds, in bytes: the fewer times both ends wait for each other, the better."""
KILLED = 128 + signal.SIGKILL
GRACE = 10.0
"""Seconds within which a killed process has to be gone."""


class Descriptors(NamedTuple):
    """What bubblewrap is handed open: where it writes how it goes, and where it reads the system-call filter."""

    status: int
    filter: int


def run(argv: Callable[[Descriptors], Sequence[str]], command: Command) -> Ending:
    """Run what `argv` gives for bubblewrap's descriptors; on return no process of it is alive."""
    started = time.monotonic()
    with _status_pipe() as (reader, writer), _filter() as program, _start(argv, writer, program) as process:
        try:
            finished = _attend(process, command, started + command.seconds)
        finally:
            said = _said(reader)
            if process.poll() is None:
                _kill(process, said.get("child-pid"))
        seconds = time.monotonic() - started
        if not finished:
            return Ending(None, seconds)
        if process.returncode < 0:
            return Ending(KILLED, seconds)
    if "exit-code" not in said:
        raise SandboxUnavailable(f"bubblewrap did not start: {command.stderr.text().strip()[-400:]}")
    return Ending(said["exit-code"], seconds)


@contextlib.contextmanager
def _status_pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


@contextlib.contextmanager
def _filter() -> Iterator[int]:
    program = bpf.program()
    reader, writer = os.pipe()
    try:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(program)  # a fraction of what a pipe holds
        yield reader
    finally:
        os.close(reader)


def _start(argv: Callable[[Descriptors], Sequence[str]], status: int, program: int) -> subprocess.Popen[bytes]:
    # An empty environment: what bubblewrap itself is given can be read inside, in /proc/1/environ.
    return subprocess.Popen(
        argv(Descriptors(status, program)),
        env={},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        pass_fds=(status, program),
        start_new_session=True,
    )


def _attend(process: subprocess.Popen[bytes], command: Command, deadline: float) -> bool:
    """Feed and drain until the process has ended; False at the deadline."""
    with selectors.DefaultSelector() as selector:
        _register(selector, process, command)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in selector.select(left):
                if not key.data():
                    selector.unregister(key.fileobj)
                    cast(IO[bytes], key.fileobj).close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, deadline - time.monotonic()))
    return process.returncode is not None


def _register(selector: selectors.BaseSelector, process: subprocess.Popen[bytes], command: Command) -> None:
    stdin, stdout, stderr = cast(tuple[IO[bytes], ...], (process.stdin, process.stdout, process.stderr))
    os.set_blocking(stdin.fileno(), False)
    if command.size > CHUNK:
        with contextlib.suppress(PermissionError):  # this user has many such pipes
            fcntl.fcntl(stdin, fcntl.F_SETPIPE_SZ, PIPE)
    selector.register(stdin, selectors.EVENT_WRITE, _feeder(stdin, command.stdin))
    selector.register(stdout, selectors.EVENT_READ, _drainer(stdout, command.stdout))
    selector.register(stderr, selectors.EVENT_READ, _drainer(stderr, command.stderr))


def _feeder(stream: IO[bytes], source: BinaryIO) -> Callable[[], bool]:
    rest = memoryview(source.read(PIPE))

    def feed() -> bool:
        nonlocal rest
        try:
            rest = rest[os.write(stream.fileno(), rest) :]
        except BrokenPipeError:
            return False
        rest = rest or memoryview(source.read(PIPE))
        return bool(rest)

    return feed


def _drainer(stream: IO[bytes], output: Output) -> Callable[[], bool]:
    def drain() -> bool:
        data = os.read(stream.fileno(), CHUNK)
        output.feed(data)
        return bool(data)

    return drain


def _said(status: int) -> dict[str, int]:
    """What bubblewrap wrote: ``child-pid``, the sandbox's PID 1, and once a started command has ended ``exit-code``."""
    said: dict[str, int] = {}
    with contextlib.suppress(BlockingIOError):
        for line in os.read(status, CHUNK).splitlines():
            said |= json.loads(line)
    return said


def _kill(process: subprocess.Popen[bytes], child: int | None) -> None:
    # bubblewrap, left alive, reaps PID 1 and so outlives everything inside; killed first, it would leave zombies.
    if child is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    process.kill()


def bubblewraps() -> Iterator[tuple[int, list[str]]]:
    """Each bubblewrap process on this machine that may be looked at, with the words of its command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
                words = [os.fsdecode(word) for word in (entry / "cmdline").read_bytes().split(b"\0")]
                if Path(words[0]).name == "bwrap":
                    yield int(entry.name), words


def kill_strays(name: str) -> None:
    """Kill each bubblewrap that serves the folder of this name although its parent is gone."""
    for process, words in bubblewraps():
        if any(name in word for word in words):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
