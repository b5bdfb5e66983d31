"""The receiver of webhooks: says yes or no at once, and has somebody look where something happened."""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from entropy.errors import EntropyError, SecretsUnavailable, StateUnavailable
from entropy.github.webhooks import ON_ROSTER, Malformed, is_signed, place_of
from entropy.models import Secret
from entropy.scheduling.identity import SCHEDULER
from entropy.scheduling.room import Room
from entropy.scheduling.roster import ROSTER
from entropy.secrets.provider import SecretProvider
from entropy.state.hints import Hint, Taken
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

PATH = "/webhooks"
HEALTH = "/healthz"
SECRET = "webhook-secret"  # noqa: S105 - the secret's name
LIMIT = 25 * 2**20
"""Bytes; GitHub sends no larger payload."""
PATIENCE = 10
"""Seconds in which a body has to be here; GitHub gives up then, too."""
FRESH = 60
"""Seconds for which the secret is kept, so that another one counts soon."""
EVENT = re.compile(r"[a-z0-9_]{1,60}")
DELIVERY = re.compile(r"[0-9A-Za-z-]{1,64}")


class Ruling(NamedTuple):
    status: int
    why: str


class Delivery(NamedTuple):
    """What the headers say."""

    id: str
    event: str
    signature: str
    of_app: bool


class WebhookSecret:
    """The secret as it was less than a minute ago; while the provider is away, as it was last."""

    def __init__(self, provider: SecretProvider) -> None:
        self._provider = provider
        self._value = provider.get(SCHEDULER, SECRET)
        self._read = time.monotonic()

    def value(self) -> Secret:
        if time.monotonic() - self._read > FRESH:
            try:
                self._value = self._provider.get(SCHEDULER, SECRET)
            except SecretsUnavailable as error:
                log.warning("webhook secret not read again", extra={"why": str(error)})
            self._read = time.monotonic()
        return self._value


class Receiver:
    """`call` has hints looked at. Whatever comes ends in one line of the log."""

    def __init__(self, tools: Toolbox, call: Callable[[], object]) -> None:
        self._tools = tools
        self._call = call
        self._secret = WebhookSecret(tools.secrets)
        self._room = Room()

    async def receive(self, request: Request) -> Response:
        delivery = _delivery(request)
        ruling = _refused(request, delivery) or await self._read(request, delivery)
        extra = {"delivery": delivery.id, "event": delivery.event, "status": ruling.status, "why": ruling.why}
        log.log(logging.INFO if ruling.status < 300 else logging.WARNING, "webhook", extra=extra)
        return PlainTextResponse(f"{ruling.why}\n", ruling.status)

    async def _read(self, request: Request, delivery: Delivery) -> Ruling:
        with self._room.share() as holds:
            try:
                async with asyncio.timeout(PATIENCE):
                    body = await _body(request, holds)
            except TimeoutError:
                return Ruling(408, f"The body did not arrive within {PATIENCE} seconds.")
            except ClientDisconnect:
                return Ruling(400, "The sender went away in the middle of the body.")
            if isinstance(body, Ruling):
                return body
            return await run_in_threadpool(self._judge, delivery, body)

    def _judge(self, delivery: Delivery, body: bytes) -> Ruling:
        try:
            if not is_signed(body, delivery.signature, self._secret.value()):
                return Ruling(401, "The signature is not made from this body with our secret; compare the secrets.")
            return self._take(delivery, body)
        except Malformed as error:
            return Ruling(400, str(error))
        except StateUnavailable:
            return Ruling(503, "Redis is away; send this delivery again later.")
        except EntropyError as error:
            return Ruling(503, str(error))

    def _take(self, delivery: Delivery, body: bytes) -> Ruling:
        place = place_of(delivery.event, body)
        hint = place and Hint(repository=place.repository, numbers=place.numbers, everywhere=not place.numbers)
        if delivery.event in ON_ROSTER:
            self._tools.rounds.again(ROSTER)
        taken = self._tools.hints.take(hint, delivery=delivery.id, of_app=delivery.of_app)
        if taken is Taken.KNOWN:
            return Ruling(200, "This delivery was taken in before.")
        if taken is Taken.CALL or delivery.event in ON_ROSTER:
            self._have_looked()
        return Ruling(202, "Nothing to look at." if taken is Taken.IDLE else "Taken in.")

    def _have_looked(self) -> None:
        try:
            self._call()
        except EntropyError as error:  # the hint is safe, and the next beat sees it
            log.warning("nobody called to look", extra={"why": str(error)})


_TOO_LARGE = Ruling(413, f"The body is larger than the {LIMIT >> 20} MiB that GitHub sends at most.")
_NO_ROOM = Ruling(503, "Too many large deliveries at once; send this one again later.")


def make_app(tools: Toolbox, call: Callable[[], object]) -> Starlette:
    """Raises what reading the secret raises."""
    receiver = Receiver(tools, call)
    return Starlette(routes=[Route(PATH, receiver.receive, methods=["POST"]), Route(HEALTH, _alive)])


def _alive(_: Request) -> Response:
    return PlainTextResponse("ok\n")


def _delivery(request: Request) -> Delivery:
    def header(name: str) -> str:
        return request.headers.get(name, "")[:100]

    of_app = header("x-github-hook-installation-target-type") == "integration"
    return Delivery(header("x-github-delivery"), header("x-github-event"), header("x-hub-signature-256"), of_app)


def _refused(request: Request, delivery: Delivery) -> Ruling | None:
    """What can be said before the body is read."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return Ruling(415, "Deliveries are JSON here; set the content type of the webhook to application/json.")
    if not EVENT.fullmatch(delivery.event):
        return Ruling(400, "The header X-GitHub-Event does not name an event.")
    if not DELIVERY.fullmatch(delivery.id):
        return Ruling(400, "The header X-GitHub-Delivery does not name a delivery.")
    if not delivery.signature:
        return Ruling(401, "The header X-Hub-Signature-256 is missing; give the webhook a secret.")
    length = request.headers.get("content-length", "0")
    return _TOO_LARGE if not length.isdigit() or len(length) > 9 or int(length) > LIMIT else None


async def _body(request: Request, holds: Callable[[int], bool]) -> bytes | Ruling:
    """All of it, as it was sent, or why not."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LIMIT:
            return _TOO_LARGE
        if not holds(len(raw)):
            return _NO_ROOM
    return bytes(raw)
