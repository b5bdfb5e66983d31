"""Requests of agent programs to models: the key is put on outside, and taken off whatever comes back."""

import contextlib

import h11

from entropy.sandbox.egress.dialects import Model
from entropy.sandbox.egress.passage import Passage
from entropy.sandbox.egress.request import ModelRequest, Side
from entropy.sandbox.egress.streams import Streams, beside
from entropy.sandbox.egress.veil import Veil
from entropy.sandbox.egress.verdicts import Denied, EgressVerdict

ASKED = {
    *(b"accept", b"content-type", b"content-length", b"transfer-encoding", b"user-agent", b"idempotency-key"),
    *(b"anthropic-version", b"anthropic-beta", b"openai-beta"),
}
"""What of a request's headers goes out. Credentials, cookies and hops of the sandbox's own do not."""
DROPPED = {
    *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-connection", b"trailer", b"upgrade"),
    *(b"set-cookie", b"alt-svc"),
}
"""What of an answer's headers stays outside."""
REDIRECTS = range(300, 400)
IDENTITY = b"identity"


class Gateway:
    """One request to one model, between two sides."""

    def __init__(self, model: Model, key: str, passage: Passage) -> None:
        self._model = model
        self._key = key
        self._exchange = passage
        self._veil = Veil(key.encode("ascii"))

    async def carry(self, request: ModelRequest, inside: Side, outside: Streams) -> None:
        """Hand the request out and the answer in; raises `Denied`."""
        far = Side(*outside, h11.CLIENT)
        await far.send(self._outward(request))
        await beside(self._answer(inside, far), self._ask(inside, far))

    def _outward(self, request: ModelRequest) -> h11.Request:
        model, dialect = self._model, self._model.dialect
        headers = [(name, value) for name, value in request.headers if name in ASKED]
        host = model.host if model.port == 443 else f"{model.host}:{model.port}"
        own = {"host": host, "accept-encoding": "identity", "connection": "close"}
        own[dialect.header] = dialect.prefix + self._key
        headers += [(name.encode(), value.encode("ascii")) for name, value in own.items()]
        query = f"?{request.query}" if request.query else ""
        return h11.Request(method=request.method, target=model.path + request.path + query, headers=headers)

    async def _ask(self, inside: Side, far: Side) -> None:
        if inside.http.they_are_waiting_for_100_continue:
            await inside.send(h11.InformationalResponse(status_code=100, headers=[]))
        while True:
            event = await inside.next_event()
            self._exchange.send(inside.take())
            if not isinstance(event, h11.Data | h11.EndOfMessage):
                raise ConnectionAbortedError
            with contextlib.suppress(OSError):  # an answer may come, and the other end go, before all is asked
                await far.send(h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else _data(event))
            if isinstance(event, h11.EndOfMessage):
                return

    async def _answer(self, inside: Side, far: Side) -> None:
        event = await self._next(far)
        while isinstance(event, h11.InformationalResponse):
            event = await self._next(far)
        if not isinstance(event, h11.Response):
            raise Denied(EgressVerdict.UNREACHABLE)
        shown_head = self._inward(event)
        self._exchange.answered = True
        await inside.send(shown_head)
        while isinstance(event := await self._next(far), h11.Data):
            if shown := self._veil.over(bytes(event.data)):
                await inside.send(h11.Data(data=shown))
        if not isinstance(event, h11.EndOfMessage):
            raise ConnectionAbortedError
        await inside.send(h11.Data(data=self._veil.rest()), h11.EndOfMessage())

    async def _next(self, far: Side) -> object:
        try:
            event = await far.next_event()
        except h11.RemoteProtocolError:
            raise Denied(EgressVerdict.UNREACHABLE) from None
        self._exchange.receive(far.take())
        return event

    def _inward(self, answer: h11.Response) -> h11.Response:
        if answer.status_code in REDIRECTS:
            raise Denied(EgressVerdict.REDIRECT)
        if any(name == b"content-encoding" and value.lower() != IDENTITY for name, value in answer.headers):
            raise Denied(EgressVerdict.ENCODED)
        headers = [
            (name, self._veil.whole(value))
            for name, value in answer.headers
            if name not in DROPPED and self._key.lower().encode() not in name
        ]
        return h11.Response(status_code=answer.status_code, headers=[*headers, (b"connection", b"close")])


def _data(event: h11.Data) -> h11.Data:
    return h11.Data(data=bytes(event.data))
