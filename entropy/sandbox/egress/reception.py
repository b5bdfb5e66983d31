"""One connection out of a sandbox: what is asked, whether it may be, and its being done."""

from collections.abc import Awaitable, Callable

import h11

from entropy.errors import EntropyError
from entropy.models import Secret
from entropy.sandbox.egress import tunnel
from entropy.sandbox.egress.dialects import Model
from entropy.sandbox.egress.gateway import Gateway
from entropy.sandbox.egress.passage import Passage
from entropy.sandbox.egress.request import ModelRequest, Side, TunnelRequest, read_request
from entropy.sandbox.egress.rules import Rules
from entropy.sandbox.egress.streams import Dialer, Streams
from entropy.sandbox.egress.verdicts import Denied, EgressVerdict

ReadKey = Callable[[str], Awaitable[Secret]]
"""The secret of this name, as it is now; raises `EntropyError`."""


class Reception:
    """What the connections of one sandbox have in common."""

    def __init__(self, rules: Rules, dialer: Dialer, read_key: ReadKey) -> None:
        self._rules = rules
        self._dialer = dialer
        self._read_key = read_key

    async def receive(self, inside: Streams, passage: Passage) -> None:
        """Serve one connection to its end, or say why not; raises `OSError` and `EOFError` as either end does."""
        try:
            async with passage.timed():
                await self._answer(inside, passage)
        except TimeoutError:
            refuse(inside, passage, Denied(EgressVerdict.SLOW))
        except Denied as denied:
            refuse(inside, passage, denied)
        except (h11.ProtocolError, UnicodeError):
            refuse(inside, passage, Denied(EgressVerdict.MALFORMED))

    async def _answer(self, inside: Streams, passage: Passage) -> None:
        side = Side(*inside, h11.SERVER)
        request = await read_request(side, passage)
        if isinstance(request, TunnelRequest):
            await self._tunnel(request, inside, passage)
        else:
            await self._hand_out(request, side, passage)

    async def _tunnel(self, request: TunnelRequest, inside: Streams, passage: Passage) -> None:
        if request.host not in self._rules.hosts.get(passage.phase, ()):
            raise Denied(EgressVerdict.NOT_LISTED)
        if request.port not in self._rules.ports:
            raise Denied(EgressVerdict.PORT)
        passage.within(passage.bounds.connect)
        outside = await self._dialer.open(request.host, request.port, encrypted=False)
        try:
            first = await tunnel.introduce(inside, passage, request.host)
            passage.verdict = EgressVerdict.ALLOWED
            await tunnel.send(outside, passage, first)
            await tunnel.join(inside, outside, passage, host=request.host)
        finally:
            outside.drop()

    async def _hand_out(self, request: ModelRequest, side: Side, passage: Passage) -> None:
        model = self._rules.model(request.model, passage.phase)
        if model is None:
            raise Denied(EgressVerdict.NOT_LISTED)
        passage.ask(model.host)
        if model.dialect.offered.fullmatch(f"{request.method} {request.path}") is None:
            raise Denied(EgressVerdict.NOT_OFFERED)
        passage.within(passage.bounds.connect)
        gateway = Gateway(model, await self._key(model), passage)
        outside = await self._dialer.open(model.host, model.port, encrypted=True)
        passage.within(passage.bounds.idle)
        passage.verdict = EgressVerdict.ALLOWED
        try:
            await gateway.carry(request, side, outside)
        finally:
            outside.drop()

    async def _key(self, model: Model) -> str:
        try:
            key = (await self._read_key(model.secret)).reveal()
        except EntropyError:
            raise Denied(EgressVerdict.NO_KEY) from None
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise Denied(EgressVerdict.NO_KEY)
        return key


def refuse(inside: Streams, passage: Passage, denied: Denied) -> None:
    """Say so while words can still be heard as an answer."""
    passage.verdict = denied.verdict
    if not passage.answered:
        inside.writer.write(denied.answer())
