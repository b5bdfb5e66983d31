"""What the proxy says to a request, and why."""

from enum import StrEnum


class Phase(StrEnum):
    """What a command in a sandbox is for; it decides whether there is a way out, and where to."""

    SETUP = "setup"  # package indexes
    AGENT = "agent"  # models
    TEST = "test"  # nowhere


class EgressVerdict(StrEnum):
    """How a request ended, in the words of the audit trail."""

    ALLOWED = "allowed"
    MALFORMED = "malformed"  # not HTTP as a client of good will writes it
    NO_NAME = "no-name"  # an address, or anything else that is not a host's name
    NOT_LISTED = "not-listed"
    PORT = "port"
    UNRESOLVED = "unresolved"
    NOT_GLOBAL = "not-global"
    UNREACHABLE = "unreachable"
    NOT_TLS = "not-tls"
    NO_SNI = "no-sni"
    OTHER_SNI = "other-sni"
    HIDDEN_SNI = "hidden-sni"
    NOT_OFFERED = "not-offered"  # a path or method of a model's interface that agents do not need
    NO_KEY = "no-key"
    REDIRECT = "redirect"
    ENCODED = "encoded"  # an answer in which a key could not be seen
    SLOW = "slow"
    BUSY = "busy"
    SPENT = "spent"
    ENDED = "ended"  # by the end of the phase
    BROKEN = "broken"  # by one of the two ends


REASONS = {
    EgressVerdict.MALFORMED: "This is not a request that the proxy understands.",
    EgressVerdict.NO_NAME: "Addresses are not served; ask for a host by its name.",
    EgressVerdict.NOT_LISTED: "This host is not on the list of this phase; ask the operator to add it.",
    EgressVerdict.PORT: "This port is not served.",
    EgressVerdict.UNRESOLVED: "The host's name cannot be resolved.",
    EgressVerdict.NOT_GLOBAL: "The host's name leads into a network that is not served.",
    EgressVerdict.UNREACHABLE: "The host does not answer.",
    EgressVerdict.NOT_OFFERED: "This part of the model's interface is not served.",
    EgressVerdict.NO_KEY: "There is no key for this model; ask the operator to provide it.",
    EgressVerdict.REDIRECT: "The model's endpoint sends elsewhere, which is not followed.",
    EgressVerdict.ENCODED: "The model's endpoint answers in an encoding that it was not asked for.",
    EgressVerdict.SLOW: "The request took too long.",
    EgressVerdict.BUSY: "There are too many connections at once.",
    EgressVerdict.SPENT: "This sandbox has used up what it may transfer.",
}
BAD_REQUEST, FORBIDDEN, BAD_GATEWAY, UNAVAILABLE = 400, 403, 502, 503
STATUSES = {
    EgressVerdict.MALFORMED: BAD_REQUEST,
    EgressVerdict.UNRESOLVED: BAD_GATEWAY,
    EgressVerdict.UNREACHABLE: BAD_GATEWAY,
    EgressVerdict.NO_KEY: BAD_GATEWAY,
    EgressVerdict.REDIRECT: BAD_GATEWAY,
    EgressVerdict.ENCODED: BAD_GATEWAY,
    EgressVerdict.BUSY: UNAVAILABLE,
}


class Denied(Exception):
    """The proxy does not do what it was asked."""

    def __init__(self, verdict: EgressVerdict) -> None:
        super().__init__(REASONS.get(verdict, verdict))
        self.verdict = verdict

    def answer(self) -> bytes:
        """The whole HTTP answer."""
        body = f"{self}\n".encode()
        head = f"HTTP/1.1 {STATUSES.get(self.verdict, FORBIDDEN)} Refused\r\nContent-Type: text/plain\r\n"
        return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
