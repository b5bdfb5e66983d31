"""Connections: to checked addresses, and two pieces of work at once on one of them."""

import asyncio
import ssl
from collections.abc import Coroutine
from concurrent.futures import Executor
from typing import Any, NamedTuple

from entropy.sandbox.egress.destinations import Destinations
from entropy.sandbox.egress.verdicts import Denied, EgressVerdict

CHUNK = 65536


class Streams(NamedTuple):
    """The two halves of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def finish(self) -> None:
        """Say that nothing more comes from this side."""
        if self.writer.can_write_eof():
            self.writer.write_eof()

    def drop(self) -> None:
        """End it now, whatever is on its way; what has ended is left alone, for asyncio would stumble."""
        transport = self.writer.transport
        if transport.get_write_buffer_size() or not transport.is_closing():
            transport.abort()


class Dialer:
    """Opens connections to hosts at the very addresses that were found fit."""

    def __init__(self, destinations: Destinations, *, threads: Executor, tls: ssl.SSLContext) -> None:
        self._destinations = destinations
        self._threads = threads
        self._tls = tls

    async def open(self, host: str, port: int, *, encrypted: bool) -> Streams:
        """A connection, over TLS if `encrypted`; raises `Denied`."""
        loop = asyncio.get_running_loop()
        tls, name = (self._tls, host) if encrypted else (None, None)
        for address in await loop.run_in_executor(self._threads, self._destinations.find, host, port):
            try:
                return Streams(
                    *await asyncio.open_connection(address, port, limit=CHUNK, ssl=tls, server_hostname=name)
                )
            except OSError:
                continue
        raise Denied(EgressVerdict.UNREACHABLE)


async def together(*work: Coroutine[Any, Any, None]) -> None:
    """Do all of it at once; the first failure ends the rest."""
    tasks = [asyncio.create_task(part) for part in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def beside(main: Coroutine[Any, Any, None], aside: Coroutine[Any, Any, None]) -> None:
    """Do both at once, until `main` is done or one of them fails."""
    leading, other = asyncio.create_task(main), asyncio.create_task(aside)
    try:
        await asyncio.wait((leading, other), return_when=asyncio.FIRST_COMPLETED)
        if not leading.done():
            await other
        await leading
    finally:
        for task in (leading, other):
            task.cancel()
        await asyncio.gather(leading, other, return_exceptions=True)
