"""The server's side of a websocket, as far as the Kubernetes API server speaks it."""

import base64
import hashlib
import struct
import threading
from typing import BinaryIO

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10


def acceptance(key: str) -> str:
    """What answers a client's ``Sec-WebSocket-Key``."""
    return base64.b64encode(hashlib.sha1(key.encode() + MAGIC).digest()).decode()


class ServerSocket:
    """Messages with a channel in their first byte."""

    def __init__(self, reading: BinaryIO, writing: BinaryIO) -> None:
        self._reading = reading
        self._writing = writing
        self._lock = threading.Lock()

    def receive(self) -> bytes | None:
        """The next message; None when there are no more."""
        while True:
            code, data = self._frame()
            if code == CLOSE:
                return None
            if code == PING:
                self._send(PONG, data)
            elif code != PONG:
                return data

    def send(self, channel: int, data: bytes) -> None:
        self._send(BINARY, bytes([channel]) + data)

    def close(self) -> None:
        self._send(CLOSE, struct.pack("!H", 1000))

    def _frame(self) -> tuple[int, bytes]:
        try:
            first, second = self._exactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", self._exactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self._exactly(8))
            mask = self._exactly(4) if second & 0x80 else bytes(4)
            data = self._exactly(size)
        except (EOFError, OSError, ValueError):
            return CLOSE, b""
        pattern = (mask * (size // 4 + 1))[:size]
        return first & 0x0F, (int.from_bytes(data, "big") ^ int.from_bytes(pattern, "big")).to_bytes(size, "big")

    def _exactly(self, size: int) -> bytes:
        data = self._reading.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _send(self, code: int, data: bytes) -> None:
        size = len(data)
        head = bytes([0x80 | code])
        if size < 126:
            head += bytes([size])
        elif size < 65536:
            head += struct.pack("!BH", 126, size)
        else:
            head += struct.pack("!BQ", 127, size)
        with self._lock:
            self._writing.write(head + data)
            self._writing.flush()
