"""What a hostile program in a sandbox has: a socket, and bytes of its own choice."""

import socket
import ssl
from pathlib import Path


class Line:
    """One connection to the proxy."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(15)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def hang_up(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def hear(self) -> bytes:
        """Everything until the other end is done."""
        heard = b""
        while data := self._receive():
            heard += data
        return heard

    def hear_head(self) -> bytes:
        heard = b""
        while not heard.endswith(b"\r\n\r\n") and (data := self._socket.recv(1)):
            heard += data
        return heard

    def hear_some(self) -> bytes:
        return self._receive()

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except ConnectionResetError:
            return b""

    def ask(self, data: bytes) -> bytes:
        self.send(data)
        return self.hear()

    def tunnel(self, host: str, port: int) -> bytes:
        """Ask for a tunnel; the head of the answer."""
        self.send(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        return self.hear_head()

    def secure(self, context: ssl.SSLContext, name: str, *, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        return context.wrap_socket(self._socket, server_hostname=name, session=session)


def hello(name: str | None, *, context: ssl.SSLContext | None = None) -> bytes:
    """A client hello as OpenSSL writes it."""
    context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if name is None:
        context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake is over before the server said a word")
