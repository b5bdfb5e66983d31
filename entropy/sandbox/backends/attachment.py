"""One command inside a running container, over the Docker daemon's hijacked connection."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from docker.errors import APIError

from entropy.sandbox.command import Command, Ending
from entropy.sandbox.output import Output

CHUNK = 65536
HEADER = struct.Struct(">BxxxL")
STDERR = 2
KILLED = 137
GRACE = 10.0
"""Seconds within which the streams of a killed container have to end."""
POLL = 0.25
SILENCE = 0.5
"""Seconds without output after which a command that has ended has said everything."""

STARTED = b"\0"

# The first line says go: nothing is printed before somebody listens. The answer shows that what follows comes from the
# command, not from the daemon about a container that is just going. Then so many bytes of input, and its end, without
# half-closing the connection, which not every transport to a daemon can.
WRAPPER = ("sh", "-c", 'read -r go; printf "\\0"; printf "\\0" >&2; size=$1; shift; head -c "$size" | "$@"', "sh")


class NotStarted(Exception):
    """The command did not begin: its container is not there, is going, or has no room for another process."""


class _Stream:
    """One of the two output streams: the daemon's words until the command begins, then the command's."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.started = False
        self.said = b""

    def feed(self, data: bytes) -> None:
        if not self.started and data.startswith(STARTED):
            self.started, data = True, data[len(STARTED) :]
        if self.started:
            self.output.feed(data)
        else:
            self.said += data[:CHUNK]


def run(api: Any, container: str, command: Command, *, kill: Callable[[], None]) -> Ending:
    """Run `command`; at the time limit `kill` is called, since one command cannot be ended without the rest."""
    started = time.monotonic()
    out, err = _Stream(command.stdout), _Stream(command.stderr)
    argv = [*WRAPPER, str(command.size), *command.argv]
    command.stdin.seek(0)  # an earlier try may have read of it
    try:
        prepared = api.exec_create(container, argv, stdin=True)["Id"]
        stream = api.exec_start(prepared, socket=True)
    except APIError as error:
        raise NotStarted(str(error)) from error
    with _connected(stream) as connection:
        reader = threading.Thread(target=_drain, args=(connection, out, err), daemon=True)
        writer = threading.Thread(target=_feed, args=(connection, command.stdin), daemon=True)
        reader.start()
        writer.start()
        status = _status(api, prepared, reader, started + command.seconds)
        if status is None:
            # Somebody has to go on reading, or the daemon waits ten seconds for the streams before it kills.
            kill()
        _last_words(reader, out, err)
    reader.join(GRACE)
    writer.join(GRACE)
    if status is not None and not out.started:
        raise NotStarted((out.said + err.said).decode(errors="replace").strip())
    return Ending(status, time.monotonic() - started)


@contextlib.contextmanager
def _connected(stream: Any) -> Iterator[socket.socket]:
    connection = getattr(stream, "_sock", stream)
    connection.settimeout(None)
    try:
        yield connection
    finally:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)  # ends the threads that are at it
        stream._response.close()
        stream.close()


def _status(api: Any, created: str, reader: threading.Thread, deadline: float) -> int | None:
    """The exit status; None when the command still runs at the deadline."""
    while (left := deadline - time.monotonic()) > 0:
        reader.join(min(POLL, left) if reader.is_alive() else 0.01)
        try:
            state = api.exec_inspect(created)
        except APIError:
            return KILLED  # the container went, and the command with it
        if not state["Running"] and state["ExitCode"] is not None:
            return int(state["ExitCode"])
    return None


def _last_words(reader: threading.Thread, out: _Stream, err: _Stream) -> None:
    """Wait for the end of the streams; not for what a command left behind and that holds them open in silence."""
    deadline, heard = time.monotonic() + GRACE, -1
    while reader.is_alive() and time.monotonic() < deadline:
        total = out.output.total + err.output.total
        if out.started and total == heard:
            return
        heard = total
        reader.join(SILENCE)


def _feed(connection: socket.socket, stdin: BinaryIO) -> None:
    data = b"\n"
    while data:
        try:
            connection.sendall(data)
        except OSError:
            return  # the command need not read it all
        data = stdin.read(CHUNK)


def _drain(connection: socket.socket, out: _Stream, err: _Stream) -> None:
    with contextlib.suppress(OSError, EOFError):
        while True:
            number, size = HEADER.unpack(_exactly(connection, HEADER.size))
            stream = err if number == STDERR else out
            while size:
                data = connection.recv(min(size, CHUNK))
                if not data:
                    return
                stream.feed(data)
                size -= len(data)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data
