"""A Docker daemon that accepts what it is asked for and forgets some of it: the real one behind a forgetful door."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

Body = dict[str, Any]
Forget = Callable[[Body], None]
"""Takes something out of what is asked for when a container or a volume is made."""


@contextmanager
def forgetful(socket_path: Path, door: Path, forget: Forget) -> Iterator[str]:
    """The address of a daemon like the one at `socket_path`, but for what it forgets."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(door))
        server.listen()
        connections: list[socket.socket] = []
        accepting = threading.Thread(target=_accept, args=(server, socket_path, forget, connections))
        accepting.start()
        yield f"unix://{door}"
        server.shutdown(socket.SHUT_RDWR)
        accepting.join()
        for connection in connections:
            connection.close()


def _accept(server: socket.socket, socket_path: Path, forget: Forget, connections: list[socket.socket]) -> None:
    pairs = []
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            daemon = socket.socket(socket.AF_UNIX)
            daemon.connect(str(socket_path))
            connections += [client, daemon]
            pairs += [
                threading.Thread(target=_ask, args=(client, daemon, forget)),
                threading.Thread(target=_pass_on, args=(daemon, client)),
            ]
            for thread in pairs[-2:]:
                thread.start()
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    for thread in pairs:
        thread.join()


def _ask(client: socket.socket, daemon: socket.socket, forget: Forget) -> None:
    """Pass requests on one by one, up to one that takes the connection over."""
    with client.makefile("rb") as requests, suppress(OSError):
        while line := requests.readline():
            headers = list(iter(requests.readline, b"\r\n"))
            fields = {name.lower(): value.strip() for name, _, value in (header.partition(b":") for header in headers)}
            body = requests.read(int(fields.get(b"content-length", 0)))
            if b"/create" in line.split()[1] and body:
                asked = json.loads(body)
                forget(asked)
                body = json.dumps(asked).encode()
                headers = [header for header in headers if not header.lower().startswith(b"content-length")]
                headers.append(b"Content-Length: %d\r\n" % len(body))
            daemon.sendall(b"".join([line, *headers, b"\r\n", body]))
            if b"upgrade" in fields:
                while data := requests.read1(65536):
                    daemon.sendall(data)
    with suppress(OSError):
        daemon.shutdown(socket.SHUT_WR)


def _pass_on(daemon: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while data := daemon.recv(65536):
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)
