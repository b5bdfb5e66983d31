"""What a sandbox asks for: the head of one request, read by h11 and sorted into the two kinds that are served."""

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple

import h11

from entropy.sandbox.egress.destinations import is_name
from entropy.sandbox.egress.passage import Passage
from entropy.sandbox.egress.streams import CHUNK
from entropy.sandbox.egress.verdicts import Denied, EgressVerdict

LARGEST_HEAD = 16384
VERSIONS = (b"1.0", b"1.1")
AUTHORITY = re.compile(r"(.+):([0-9]{1,5})")


class Side:
    """One end of an HTTP conversation: a stream and what h11 makes of it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, role: type[h11.CLIENT] | type[h11.SERVER]
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.http = h11.Connection(role, max_incomplete_event_size=LARGEST_HEAD)
        self._taken = 0

    def take(self) -> int:
        """How many bytes were read since this was last asked."""
        taken, self._taken = self._taken, 0
        return taken

    async def next_event(self) -> object:
        while (event := self.http.next_event()) is h11.NEED_DATA:
            data = await self.reader.read(CHUNK)
            self._taken += len(data)
            self.http.receive_data(data)
        return event

    async def send(self, *events: h11.Event) -> None:
        for event in events:
            self.writer.write(self.http.send(event) or b"")
        await self.writer.drain()


class TunnelRequest(NamedTuple):
    """A CONNECT."""

    host: str
    port: int


class ModelRequest(NamedTuple):
    """Anything that is asked of the proxy itself, under the name of a model."""

    model: str
    method: str
    path: str
    """Below the model's address, with a slash in front."""
    query: str
    headers: Sequence[tuple[bytes, bytes]]


async def read_request(side: Side, passage: Passage) -> TunnelRequest | ModelRequest:
    """The first request on a connection; raises `Denied`."""
    event = await side.next_event()
    if not isinstance(event, h11.Request) or event.http_version not in VERSIONS:
        raise Denied(EgressVerdict.MALFORMED)
    target = event.target.decode("ascii")
    passage.ask(target)
    _check_framing(event)
    if event.method == b"CONNECT":
        return _tunnel(target, event, passage, early=side.http.trailing_data[0])
    if not target.startswith("/"):  # whole addresses: a plain connection to somewhere else
        raise Denied(EgressVerdict.NOT_TLS if target.lower().startswith("http") else EgressVerdict.MALFORMED)
    return _model(target, event)


def _values(request: h11.Request, name: bytes) -> list[bytes]:
    return [value for header, value in request.headers if header == name]


def _check_framing(request: h11.Request) -> None:
    """Two readers of one message must not find different ends of it."""
    lengths, codings = _values(request, b"content-length"), _values(request, b"transfer-encoding")
    if len(lengths) + len(codings) > 1 or len(_values(request, b"host")) > 1:
        raise Denied(EgressVerdict.MALFORMED)
    if request.method == b"CONNECT" and (lengths or codings):
        raise Denied(EgressVerdict.MALFORMED)


def _tunnel(target: str, request: h11.Request, passage: Passage, *, early: bytes) -> TunnelRequest:
    match = AUTHORITY.fullmatch(target.lower())
    if match is None or early:  # nobody of good will speaks before the tunnel is there
        raise Denied(EgressVerdict.MALFORMED)
    host, port = match[1], int(match[2])
    if not is_name(host):
        raise Denied(EgressVerdict.NO_NAME)
    passage.ask(host)
    for told in _values(request, b"host"):
        if told.lower() not in (host.encode(), target.lower().encode()):
            raise Denied(EgressVerdict.MALFORMED)
    return TunnelRequest(host, port)


def _model(target: str, request: h11.Request) -> ModelRequest:
    path, _, query = target.partition("?")
    _, name, *rest = path.split("/", 2)
    return ModelRequest(name, request.method.decode("ascii"), "/" + "".join(rest), query, list(request.headers))
