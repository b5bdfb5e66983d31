"""The one way out of one sandbox: a unix socket that exists while a phase with a network lasts, served by a thread."""

import asyncio
import contextlib
import contextvars
import logging
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from entropy.errors import ConfigurationError
from entropy.models import Secret
from entropy.sandbox.egress.bounds import Allowance
from entropy.sandbox.egress.destinations import Destinations, Resolve
from entropy.sandbox.egress.passage import Passage
from entropy.sandbox.egress.reception import Reception, refuse
from entropy.sandbox.egress.rules import Rules
from entropy.sandbox.egress.streams import CHUNK, Dialer, Streams
from entropy.sandbox.egress.verdicts import Denied, EgressVerdict, Phase

log = logging.getLogger(__name__)

THREADS = 4
"""For what blocks: resolving names and reading keys."""
BACKLOG = 64
STOP_SECONDS = 10.0
Keys = Callable[[str], Secret]
"""The secret of this name; raises `EntropyError`."""
T = TypeVar("T")


class EgressProxy:
    """Serves one sandbox, in one thread."""

    def __init__(
        self, path: Path, *, run_id: str, rules: Rules, resolve: Resolve, keys: Keys, tls: ssl.SSLContext
    ) -> None:
        self._path = path
        self._run_id = run_id
        self._allowance = Allowance(rules.bounds)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="egress")
        self._keys = keys
        dialer = Dialer(Destinations(rules.networks, resolve=resolve), threads=self._threads, tls=tls)
        self._reception = Reception(rules, dialer, self._read_key)
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def running(self) -> Iterator["EgressProxy"]:
        """Inside the ``with`` phases may come and go; afterwards nothing is left of it."""
        context = contextvars.copy_context()  # the audit trail says which run this is
        thread = threading.Thread(target=context.run, args=(self._loop.run_forever,), name="egress", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop(thread)

    @contextlib.contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Inside the ``with`` there is a socket; with its end every connection ends, and it is gone."""
        self._do(self._enter(phase))
        try:
            yield
        finally:
            self._do(self._leave())

    def _stop(self, thread: threading.Thread) -> None:
        try:
            self._do(self._leave())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(STOP_SECONDS)
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STOP_SECONDS)

    async def _enter(self, phase: Phase) -> None:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connected(phase, Streams(reader, writer))

        try:
            self._server = await asyncio.start_unix_server(connected, self._path, limit=CHUNK, backlog=BACKLOG)
            self._path.chmod(0o666)
        except OSError as error:
            raise ConfigurationError(
                f"{self._path} cannot be a socket ({error}); set ENTROPY_SANDBOX__EGRESS__DIRECTORY to a folder with a"
                " short path, on a file system of this machine."
            ) from None

    async def _leave(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _connected(self, phase: Phase, inside: Streams) -> None:
        """At once, in the loop: nothing that was accepted is left out when the phase ends."""
        if self._server is None or self._allowance.spent:
            inside.drop()
            return
        passage = Passage(run_id=self._run_id, phase=phase, allowance=self._allowance)
        task = self._loop.create_task(self._converse(passage, inside, busy=len(self._connections)))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        self._allowance.ask()
        if self._allowance.spent:
            self._server.close()

    async def _converse(self, passage: Passage, inside: Streams, *, busy: int) -> None:
        try:
            if busy >= passage.bounds.connections:
                refuse(inside, passage, Denied(EgressVerdict.BUSY))
            else:
                await self._reception.receive(inside, passage)
            await _close(inside, passage.bounds.head)
        except asyncio.CancelledError:
            passage.verdict = EgressVerdict.ENDED if passage.verdict is EgressVerdict.BROKEN else passage.verdict
            raise
        except (OSError, EOFError) as error:
            log.debug("a connection out of a sandbox broke", extra={"why": str(error)})
        finally:
            passage.record()
            inside.drop()

    async def _read_key(self, name: str) -> Secret:
        return await self._loop.run_in_executor(self._threads, self._keys, name)


async def _close(inside: Streams, seconds: float) -> None:
    """Let the sandbox hear the rest, if it listens."""
    inside.writer.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await inside.writer.wait_closed()
