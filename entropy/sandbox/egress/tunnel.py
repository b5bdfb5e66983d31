"""Bytes between a sandbox and a host that it may reach, once the client has shown that it means that host."""

import asyncio
from collections.abc import AsyncIterator

from entropy.sandbox.egress import hello
from entropy.sandbox.egress.passage import Passage
from entropy.sandbox.egress.streams import CHUNK, Streams, together
from entropy.sandbox.egress.verdicts import Denied, EgressVerdict

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
MOST_CHANGES = 2
"""Records that only change the cipher, which stand between two hellos."""


async def introduce(inside: Streams, passage: Passage, host: str) -> bytes:
    """Tell the client that there is a tunnel; returns the hello that it sends, if that is for `host`."""
    passage.answered = True
    passage.within(passage.bounds.head)
    await inside.write(ESTABLISHED)
    try:
        raw, message = await hello.read_hello(inside.reader)
        _check(message, host)
    except Denied:
        await inside.write(hello.UNRECOGNIZED_NAME)
        raise
    return raw


def _check(message: bytes, host: str) -> None:
    if hello.server_name(message) != host:
        raise Denied(EgressVerdict.OTHER_SNI)


async def join(inside: Streams, outside: Streams, passage: Passage, *, host: str) -> None:
    """Carry bytes both ways until both ends are done."""
    await together(_up(inside, outside, passage, host), _down(inside, outside, passage))


async def send(outside: Streams, passage: Passage, data: bytes) -> None:
    passage.send(len(data))
    await outside.write(data)


async def _up(inside: Streams, outside: Streams, passage: Passage, host: str) -> None:
    async for data in _checked(inside.reader, host):
        await send(outside, passage, data)
    while data := await inside.reader.read(CHUNK):
        await send(outside, passage, data)
    outside.finish()


async def _down(inside: Streams, outside: Streams, passage: Passage) -> None:
    while data := await outside.reader.read(CHUNK):
        passage.receive(len(data))
        await inside.write(data)
    inside.finish()


async def _checked(reader: asyncio.StreamReader, host: str) -> AsyncIterator[bytes]:
    """What follows the first hello, until no other can: a server may ask for a second one, in the clear as well."""
    for _ in range(MOST_CHANGES + 1):
        if reader.at_eof():
            return
        kind, record, payload = await hello.read_record(reader)
        if kind == hello.HANDSHAKE and payload[0] == hello.CLIENT_HELLO:
            record, message = await hello.read_hello(reader, begun=(record, payload))
            _check(message, host)
        yield record
        if kind == hello.ALERT:
            raise ConnectionAbortedError  # some servers would overlook it, and go on listening
        if kind != hello.CHANGE_CIPHER:
            return
    raise Denied(EgressVerdict.NOT_TLS)
