"""One command inside a running container, over the Docker daemon's hijacked connection."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from docker.errors import APIError

from entropy.sandbox.command import Command, Ending

CHUNK = 65536
HEADER = struct.Struct(">BxxxL")
STDERR = 2
KILLED = 137
GRACE = 10.0
"""Seconds within which the streams of a killed container have to end."""
POLL = 0.25
DRAIN = 0.5
"""Seconds for the last output after a command has ended while something it left behind keeps the streams open."""

# The first line says go: nothing is printed before somebody listens. Then so many bytes of input, and its end, without
# half-closing the connection, which not every transport to a daemon can.
WRAPPER = ("sh", "-c", 'read -r go; size=$1; shift; head -c "$size" | "$@"', "sh")


def run(api: Any, container: str, command: Command, *, kill: Callable[[], None]) -> Ending:
    """Run `command`; at the time limit `kill` is called, since one command cannot be ended without the rest.

    Raises docker's `APIError` only where the command was not started.
    """
    started = time.monotonic()
    argv = [*WRAPPER, str(len(command.stdin)), *command.argv]
    prepared = str(api.exec_create(container, argv, stdin=True)["Id"])
    with _attached(api, prepared) as connection:
        reader = threading.Thread(target=_drain, args=(connection, command), daemon=True)
        writer = threading.Thread(target=_feed, args=(connection, b"\n" + command.stdin), daemon=True)
        reader.start()
        writer.start()
        status = _status(api, prepared, reader, started + command.seconds)
        if status is None:
            # Somebody has to go on reading, or the daemon waits ten seconds for the streams before it kills.
            kill()
            reader.join(GRACE)
    reader.join(GRACE)
    writer.join(GRACE)
    return Ending(status, time.monotonic() - started)


@contextlib.contextmanager
def _attached(api: Any, created: str) -> Iterator[socket.socket]:
    stream = api.exec_start(created, socket=True)
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
            reader.join(DRAIN)
            return int(state["ExitCode"])
    return None


def _feed(connection: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the command need not read it all
        connection.sendall(data)


def _drain(connection: socket.socket, command: Command) -> None:
    with contextlib.suppress(OSError, EOFError):
        while True:
            stream, size = HEADER.unpack(_exactly(connection, HEADER.size))
            output = command.stderr if stream == STDERR else command.stdout
            while size:
                data = connection.recv(min(size, CHUNK))
                if not data:
                    return
                output.feed(data)
                size -= len(data)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data
