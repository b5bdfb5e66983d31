"""What is outside: TLS servers on loopback addresses, and names that lead to them."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Self

OUTSIDE = "127.0.0.2"
"""Stands for the Internet: the operator's one named network. The rest of loopback is as forbidden as ever."""
Handle = Callable[[ssl.SSLSocket], None]


class Server:
    """Takes TLS connections one at a time and hands each to `handle`."""

    def __init__(self, context: ssl.SSLContext, handle: Handle, *, address: str = OUTSIDE) -> None:
        self._context = context
        self._handle = handle
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self.heard = bytearray()
        """All that came out of TLS."""
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepted += 1
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(10)
                    with self._context.wrap_socket(connection, server_side=True) as secured:
                        self._handle(secured)

    def read_request(self, secured: ssl.SSLSocket) -> bytes:
        """A request's head and the body that its length announces."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += secured.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(fields.get(b"content-length", 0)):
            body += secured.recv(65536)
        self.heard += head + b"\r\n\r\n" + body
        return head + b"\r\n\r\n" + body


class Names:
    """A resolver that says what a test tells it to, one answer after the other, and the last one for ever."""

    def __init__(self) -> None:
        self._answers: dict[str, list[Sequence[str]]] = {}
        self.asked: list[str] = []

    def lead(self, host: str, *answers: Sequence[str]) -> None:
        self._answers[host] = list(answers)

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self._answers.get(host)
        if not answers:
            raise OSError("no such name")
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextlib.contextmanager
def listening(address: str) -> Iterator[socket.socket]:
    """Something inside that nobody from a sandbox may reach."""
    with socket.create_server((address, 0)) as listener:
        listener.setblocking(False)
        yield listener
