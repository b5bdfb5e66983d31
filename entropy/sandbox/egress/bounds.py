"""What one sandbox may transfer, over all of its connections."""

from entropy.models import Noun
from entropy.sandbox.egress.verdicts import Denied, EgressVerdict


class Bounds(Noun):
    """Sizes in bytes, times in seconds."""

    connections: int
    """At once."""
    requests: int
    sent: int
    """By the sandbox."""
    received: int
    head: float = 10.0
    """Until a request's head, or a client's first words in a tunnel, are complete."""
    connect: float = 15.0
    idle: float
    """Without a byte in either direction."""
    whole: float
    """From the first byte of a connection to its last."""


class Allowance:
    """What of the bounds one sandbox has used up."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._requests = self._sent = self._received = 0

    @property
    def spent(self) -> bool:
        bounds = self.bounds
        used = (self._requests, bounds.requests), (self._sent, bounds.sent), (self._received, bounds.received)
        return any(amount >= limit for amount, limit in used)

    def ask(self) -> None:
        self._spend(requests=1)

    def send(self, size: int) -> None:
        self._spend(sent=size)

    def receive(self, size: int) -> None:
        self._spend(received=size)

    def _spend(self, *, requests: int = 0, sent: int = 0, received: int = 0) -> None:
        if self.spent:
            raise Denied(EgressVerdict.SPENT)
        self._requests += requests
        self._sent += sent
        self._received += received
