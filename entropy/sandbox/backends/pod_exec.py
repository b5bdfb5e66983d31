"""One command inside a running container of a Pod, over a websocket of the Kubernetes API server."""

import contextlib
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from websocket import ABNF, WebSocket, WebSocketException

from entropy.sandbox.command import Command, Ending
from entropy.sandbox.output import Output

STDIN, STDOUT, STDERR, VERDICT = 0, 1, 2, 3
"""What the first byte of a message says: which stream the rest belongs to. The last one carries a ``Status`` object."""
CHUNK = 32 * 1024
GRACE = 10.0
"""Seconds within which the streams of a container that is going have to end."""
POLL = 0.25
SILENCE = 0.5
"""Seconds without output after which a command that has ended has said everything."""
LISTEN = 1.0
"""Seconds at most between a line that was sent and the end of its connection, whatever is said meanwhile."""
ALIVE = 20.0
"""Seconds after which something is sent, for what stands between and forgets silent connections."""

STARTED = b"\0"

# As over Docker's connection: the first line says go, the answer that it is the command which speaks from here on, and
# then so many bytes are its input. When it has ended a line says so that only this shell can know to write, since the
# runtime waits for everybody who holds the streams open, what the command left behind included.
SCRIPT = """\
read -r go; printf "\\0"; printf "\\0" >&2; size=$1; shift
head -c "$size" | "$@"
status=$?; printf "\\0%s %d\\n" "$go" "$status" >&2; exit "$status"
"""
LONGEST = 64
"""Bytes that such a line has at most."""


class NotBegun(Exception):
    """The command did not begin: its container is not there, is going, or has no room for another process."""


class Cut(Exception):
    """The connection ended before the command did, as far as anybody knows."""


def argv(command: Command, environment: dict[str, str], limits: str = "") -> list[str]:
    """The command line of the shell around `command`, in nothing but this environment."""
    assignments = [f"{name}={value}" for name, value in environment.items()]
    script = f"{limits}\n{SCRIPT}" if limits else SCRIPT
    return ["/bin/sh", "-c", script, "sh", str(command.size), "env", "-i", *assignments, *command.argv]


def run(connection: WebSocket, command: Command, *, kill: Callable[[], None]) -> Ending:
    """What comes of `command`, begun over `connection`; `kill` is called at the time limit."""
    started = time.monotonic()
    with _open(connection):
        talk = _Talk(connection, command)
        talk.begin()
        timed_out = not talk.ended(started + command.seconds)
        if timed_out:
            kill()
        talk.last_words()
    talk.join()
    return Ending(None if timed_out else talk.verdict(), time.monotonic() - started)


def send_line(connection: WebSocket) -> None:
    """To the first process of the container that `connection` is attached to."""
    with _open(connection):
        connection.send_binary(bytes([STDIN]) + b"\n")
        connection.settimeout(POLL)
        deadline = time.monotonic() + LISTEN
        with contextlib.suppress(WebSocketException, OSError):  # until it goes, or has had time to read
            while time.monotonic() < deadline and connection.recv():
                pass


@contextlib.contextmanager
def _open(connection: WebSocket) -> Iterator[None]:
    try:
        yield
    finally:
        if connection.sock is not None:
            with contextlib.suppress(OSError):  # it may have ended by itself
                connection.sock.shutdown(socket.SHUT_RDWR)  # ends the threads that are at it
        connection.shutdown()  # type: ignore[no-untyped-call]


class _Channel:
    """One of the two output streams, without the mark at its beginning."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.started = False

    def feed(self, data: bytes) -> None:
        if not self.started and data:
            self.started = True
            data = data.removeprefix(STARTED)
        self.take(data)

    def take(self, data: bytes) -> None:
        self.output.feed(data)

    def finish(self) -> None:
        pass


class _Errors(_Channel):
    """The one in which the last line of the shell comes, which is not part of it."""

    def __init__(self, output: Output, secret: str) -> None:
        super().__init__(output)
        self.status: int | None = None
        self._line = re.compile(rb"\x00" + secret.encode() + rb" (\d{1,3})\n")
        self._held = b""

    def take(self, data: bytes) -> None:
        self._held += data
        if self.status is None and (found := self._line.search(self._held)):
            self.status = int(found[1])
            self._held = self._held[: found.start()] + self._held[found.end() :]
        keep = 0 if self.status is not None else LONGEST
        cut = max(0, len(self._held) - keep)
        self.output.feed(self._held[:cut])
        self._held = self._held[cut:]

    def finish(self) -> None:
        self.output.feed(self._held)
        self._held = b""


class _Talk:
    """The conversation with one command: two threads, so that neither side waits for the other to read."""

    def __init__(self, connection: WebSocket, command: Command) -> None:
        self._connection = connection
        self._secret = secrets.token_hex(16)
        self._out, self._err = _Channel(command.stdout), _Errors(command.stderr, self._secret)
        self._said: dict[str, Any] = {}
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._writer = threading.Thread(target=self._speak, args=(command.stdin,), daemon=True)

    def begin(self) -> None:
        self._reader.start()
        self._writer.start()

    def ended(self, deadline: float) -> bool:
        """Whether the command ends before the deadline."""
        alive = time.monotonic()
        while (left := deadline - time.monotonic()) > 0:
            self._reader.join(min(POLL, left))
            if not self._reader.is_alive() or self._err.status is not None:
                return True
            if time.monotonic() - alive > ALIVE:
                alive = time.monotonic()
                with contextlib.suppress(WebSocketException, OSError):  # the reader finds out
                    self._connection.ping()
        return False

    def last_words(self) -> None:
        """Wait for the end of the streams; not for what a command left behind and that holds them open in silence."""
        deadline, heard = time.monotonic() + GRACE, -1
        while self._reader.is_alive() and time.monotonic() < deadline:
            total = self._out.output.total + self._err.output.total
            if total == heard:
                return
            heard = total
            self._reader.join(SILENCE)

    def join(self) -> None:
        self._reader.join(GRACE)
        self._writer.join(GRACE)
        self._err.finish()

    def verdict(self) -> int:
        """The exit status, as the runtime says or else the shell."""
        status = exit_status(self._said)
        if status is None:
            status = self._err.status
        if not self._out.started:
            raise NotBegun(str(self._said.get("message", "")) or "the connection ended before the command began")
        if status is None:
            raise Cut(str(self._said.get("message", "")) or "the connection ended before the command did")
        return status

    def _speak(self, stdin: BinaryIO) -> None:
        stdin.seek(0)  # an earlier try may have read of it
        data = f"{self._secret}\n".encode()
        while data:
            try:
                self._connection.send_binary(bytes([STDIN]) + data)
            except (WebSocketException, OSError):
                return  # the command need not read it all
            data = stdin.read(CHUNK)

    def _listen(self) -> None:
        with contextlib.suppress(WebSocketException, OSError):
            while True:
                code, frame = self._connection.recv_data_frame(control_frame=True)
                if code == ABNF.OPCODE_CLOSE:
                    return
                if code in (ABNF.OPCODE_BINARY, ABNF.OPCODE_TEXT) and frame.data:
                    self._take(frame.data[0], bytes(frame.data[1:]))

    def _take(self, channel: int, data: bytes) -> None:
        if channel == STDOUT:
            self._out.feed(data)
        elif channel == STDERR:
            self._err.feed(data)
        elif channel == VERDICT and data:
            with contextlib.suppress(ValueError):
                self._said = json.loads(data)


def exit_status(said: dict[str, Any]) -> int | None:
    """What a ``Status`` object says of a command; None when it is about something else."""
    if said.get("status") == "Success":
        return 0
    causes: Sequence[dict[str, str]] = (said.get("details") or {}).get("causes") or ()
    found = [cause["message"] for cause in causes if cause.get("reason") == "ExitCode"]
    return int(found[0]) if found else None
