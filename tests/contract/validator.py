"""An ASGI application in front of another that writes down and judges every exchange with the API below a prefix."""

from collections.abc import Iterable
from typing import Any

from tests.contract.contract import Contract, Exchange, Violation
from tests.contract.deviations import DEVIATIONS, Deviation


class Validating:
    def __init__(self, app: Any, contract: Contract, *, prefix: str = "/api/v3") -> None:
        self._app = app
        self._contract = contract
        self._prefix = prefix
        self.exchanges: list[Exchange] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix + "/"):
            await self._app(scope, receive, send)
            return
        sent, head, received = bytearray(), {}, bytearray()

        async def receiving() -> Any:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            else:
                received.extend(message.get("body", b""))
                if not message.get("more_body"):
                    self._note(scope, bytes(sent), head, bytes(received))
            await send(message)

        await self._app(scope, receiving, sending)

    def operations(self) -> frozenset[str]:
        """The ids of the operations that were seen."""
        found = (self._contract.operation(exchange) for exchange in self.exchanges)
        return frozenset(operation.id for operation in found if operation is not None)

    def violations(self) -> list[Violation]:
        return [violation for exchange in self.exchanges for violation in self._contract.violations(exchange)]

    def _note(self, scope: Any, sent: bytes, head: Any, received: bytes) -> None:
        headers = {name.decode().lower(): value.decode() for name, value in head.get("headers", ())}
        raw = scope.get("raw_path") or scope["path"].encode()
        self.exchanges.append(
            Exchange(
                method=scope["method"],
                path=raw.decode().removeprefix(self._prefix),
                query=scope["query_string"].decode(),
                sent=sent,
                status=head["status"],
                content_type=headers.get("content-type", ""),
                received=received,
            )
        )


def unexcused(violations: Iterable[Violation], deviations: Iterable[Deviation] = DEVIATIONS) -> list[str]:
    listed = tuple(deviations)
    return [str(each) for each in violations if not any(deviation.covers(each) for deviation in listed)]


def outdated(violations: Iterable[Violation], deviations: Iterable[Deviation] = DEVIATIONS) -> list[Deviation]:
    """Entries of the list that none of the violations needs any more."""
    seen = tuple(violations)
    return [deviation for deviation in deviations if not any(deviation.covers(each) for each in seen)]
