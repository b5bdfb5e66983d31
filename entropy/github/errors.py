"""What the forge answers, and its transport raises, in the house's own errors: try again, wait, or change something."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from requests.exceptions import RequestException

from entropy.errors import ForgeConflict, ForgeRefused, ForgeUnavailable, RateLimited

SECONDARY_WAIT = 60.0
"""Seconds that GitHub asks for when a secondary limit names no time."""

MOVED_ON = ("already exists", "not a fast forward", "was modified")
"""How the 422 of a git reference says that somebody else was first."""

NEXT_STEP = {
    401: "renew the token of this role, its secret `github-token`",
    403: "give the token or the App of this role the permission for it",
    404: "check the name, and that the token of this role may see the repository",
    410: "it was deleted or switched off; take it out of the work",
}


class Unprocessable(ForgeRefused):
    """The forge understood the request and rejects what is in it (422)."""


class Unauthorized(ForgeRefused):
    """The forge does not know this token, or no longer (401); nothing was done."""


class Missing(ForgeRefused):
    """The forge has no such thing, or does not show it to this token (404), or no longer has it (410)."""


@contextmanager
def translated(tried: str) -> Iterator[None]:
    """Turn what the transport raises inside into ours; `tried` is a phrase such as ``read acme/widgets#3``."""
    try:
        yield
    except RequestException as error:
        raise ForgeUnavailable(
            f"Could not {tried}: the forge at {_host(error)} does not answer ({type(error).__name__}); "
            "check the network and ENTROPY_GITHUB__API if this stays so."
        ) from error
    except ValueError as error:
        raise ForgeUnavailable(f"Could not {tried}: the forge's answer breaks off.") from error


def strays(tried: str) -> ForgeRefused:
    """The forge sends us to another host than the one that was set."""
    return ForgeRefused(
        f"Could not {tried}: the forge points to another address than its own; correct ENTROPY_GITHUB__API."
    )


def _host(error: RequestException) -> str:
    return urlsplit(str(error.request.url)).netloc if error.request is not None else "its address"


def refusal(
    status: int, headers: Mapping[str, str], data: Any, tried: str
) -> ForgeRefused | ForgeUnavailable | RateLimited:
    """What an answer of 400 and above means; `headers` by their names in lower case."""
    words = said(data)
    if status >= 500:
        return ForgeUnavailable(f"Could not {tried}: the forge answered {status}.")
    wait = waiting_time(status, headers, words)
    if wait is not None:
        return RateLimited(f"Could not {tried}: the forge asks to wait {wait:.0f} seconds.", retry_after=wait)
    return _refusal(status, words)(f"Could not {tried}: {words} ({status}){_advice(status, words)}.")


def _refusal(status: int, words: str) -> type[ForgeRefused]:
    if status in {405, 409} or (status == 422 and any(sign in words.lower() for sign in MOVED_ON)):
        return ForgeConflict
    return {401: Unauthorized, 404: Missing, 410: Missing, 422: Unprocessable}.get(status, ForgeRefused)


def _advice(status: int, words: str) -> str:
    if status == 403 and "archived" in words.lower():
        return "; the repository is archived: unarchive it, or take it out of the work"
    if status == 403 and "suspended" in words.lower():
        return "; the installation of the App is suspended: its owner can end that"
    return f"; {NEXT_STEP[status]}" if status in NEXT_STEP else ""


def said(answer: Any) -> str:
    data: Any = answer if isinstance(answer, dict) else {}
    details = [
        str(detail.get("message") or detail.get("code") or detail) if isinstance(detail, dict) else str(detail)
        for detail in data.get("errors") or ()
    ]
    return ": ".join([str(data.get("message") or "refused"), *details])[:500]


def waiting_time(status: int, headers: Mapping[str, str], words: str) -> float | None:
    """Seconds until the limit ends; None when this answer is not about a limit."""
    if status not in {403, 429}:
        return None
    if (after := headers.get("retry-after", "")).isdigit():
        return max(1.0, float(after))
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        return max(1.0, float(headers["x-ratelimit-reset"]) - clock(headers) + 1)
    if status == 429 or "rate limit" in words.lower() or "abuse" in words.lower():
        return SECONDARY_WAIT
    return None


def clock(headers: Mapping[str, str]) -> float:
    """The forge's clock where it shows it: the reset time is told on that clock, not on ours."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return time.time()
