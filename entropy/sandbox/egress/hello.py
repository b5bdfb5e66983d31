"""The first words of a TLS client: which host it means, read without taking part in the conversation.

Strict on purpose: what cannot be read here might be read otherwise at the other end, and is denied.
"""

import asyncio
import struct

from entropy.sandbox.egress.verdicts import Denied, EgressVerdict

RECORD = struct.Struct(">BHH")
CHANGE_CIPHER, ALERT, HANDSHAKE = 20, 21, 22
VERSIONS = (0x0301, 0x0302, 0x0303)
LARGEST_RECORD = 2**14
LARGEST_HELLO = 2**14
CLIENT_HELLO = 1
SERVER_NAME, EARLY_DATA = 0, 42
HIDING = {0xFE0D, 0xFFCE}
"""Encrypted client hellos, in both forms: the name that can be seen is not the one that counts."""
HOST_NAME = 0
UNRECOGNIZED_NAME = bytes((ALERT, 3, 3, 0, 2, 2, 112))
"""A fatal alert, for the client."""


class _Field:
    """Bytes that are taken from the front, and have to be there."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __bool__(self) -> bool:
        return bool(self._data)

    def take(self, size: int) -> bytes:
        if len(self._data) < size:
            raise Denied(EgressVerdict.NOT_TLS)
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> "_Field":
        """What follows its own length, which has `size` bytes."""
        return _Field(self.take(self.number(size)))

    def rest(self) -> bytes:
        return self.take(len(self._data))


async def read_record(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """The kind of the next record, all of it, and what it carries."""
    header = await reader.readexactly(RECORD.size)
    kind, version, size = RECORD.unpack(header)
    if version not in VERSIONS or not 0 < size <= LARGEST_RECORD + 256:
        raise Denied(EgressVerdict.NOT_TLS)
    payload = await reader.readexactly(size)
    return kind, header + payload, payload


async def read_hello(reader: asyncio.StreamReader, *, begun: tuple[bytes, bytes] = (b"", b"")) -> tuple[bytes, bytes]:
    """All records of a client hello, and the hello; `begun` is its first record where that was read before."""
    raw, hello = begun
    while len(hello) < 4 or len(hello) < 4 + int.from_bytes(hello[1:4], "big"):
        kind, record, payload = await read_record(reader)
        raw, hello = raw + record, hello + payload
        if kind != HANDSHAKE or hello[0] != CLIENT_HELLO or len(hello) > LARGEST_HELLO:
            raise Denied(EgressVerdict.NOT_TLS)
    return raw, hello


def server_name(hello: bytes) -> str:
    """The one host's name that a client hello shows, in lower case; raises `Denied`."""
    message = _Field(hello)
    if message.number(1) != CLIENT_HELLO:
        raise Denied(EgressVerdict.NOT_TLS)
    body = message.vector(3)
    if message:
        raise Denied(EgressVerdict.NOT_TLS)
    body.take(2 + 32)  # version and random
    for size in (1, 2, 1):  # session, cipher suites, compression methods
        body.vector(size)
    return _name(_extensions(body)).lower()


def _extensions(body: _Field) -> dict[int, _Field]:
    if not body:
        raise Denied(EgressVerdict.NO_SNI)
    fields, found = body.vector(2), dict[int, _Field]()
    while fields:
        kind = fields.number(2)
        if kind in found:
            raise Denied(EgressVerdict.NOT_TLS)
        found[kind] = fields.vector(2)
    if body:
        raise Denied(EgressVerdict.NOT_TLS)
    return found


def _name(extensions: dict[int, _Field]) -> str:
    # After early data a second hello could follow where nobody looks any more.
    if HIDING & set(extensions) or EARLY_DATA in extensions:
        raise Denied(EgressVerdict.HIDDEN_SNI)
    if SERVER_NAME not in extensions:
        raise Denied(EgressVerdict.NO_SNI)
    names = extensions[SERVER_NAME].vector(2)
    kind, name = names.number(1), names.vector(2).rest()
    if kind != HOST_NAME or names or not name.isascii():
        raise Denied(EgressVerdict.NOT_TLS)
    return name.decode("ascii")
