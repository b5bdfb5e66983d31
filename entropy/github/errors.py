"""What PyGithub and its transport raise, told in the house's own errors: try again, wait, or change something."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from github import GithubException
from requests.exceptions import RequestException

from entropy.errors import ForgeConflict, ForgeRefused, ForgeUnavailable, RateLimited

SECONDARY_WAIT = 60.0
"""Seconds that GitHub asks for when a secondary limit names no time."""

MOVED_ON = ("already exists", "not a fast forward", "was modified")
"""How the 422 of a git reference says that somebody else was first."""

NEXT_STEP = {
    401: "renew the token of this role, its secret `github-token`",
    403: "give the token of this role the permission for it",
    404: "check the name, and that the token of this role may see the repository",
    410: "it was deleted or switched off; take it out of the work",
}


class Unprocessable(ForgeRefused):
    """The forge understood the request and rejects what is in it (422)."""


class Missing(ForgeRefused):
    """The forge has no such thing, or does not show it to this token (404)."""


@contextmanager
def translated(tried: str) -> Iterator[None]:
    """Turn what PyGithub raises inside into ours; `tried` is a phrase such as ``read acme/widgets#3``."""
    try:
        yield
    except GithubException as error:
        raise _from_status(error, tried) from error
    except RequestException as error:
        raise ForgeUnavailable(
            f"Could not {tried}: the forge at {_host(error)} does not answer ({type(error).__name__}); "
            "check the network and ENTROPY_GITHUB__API if this stays so."
        ) from error
    except ValueError as error:
        raise ForgeUnavailable(f"Could not {tried}: the forge's answer breaks off.") from error
    except AssertionError as error:  # PyGithub asserts that addresses stay on the host that it was given
        raise ForgeRefused(
            f"Could not {tried}: the forge points to another address than its own; correct ENTROPY_GITHUB__API."
        ) from error


def _host(error: RequestException) -> str:
    return urlsplit(str(error.request.url)).netloc if error.request is not None else "its address"


def _from_status(error: GithubException, tried: str) -> ForgeRefused | ForgeUnavailable | RateLimited:
    status, said = error.status, _said(error)
    headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
    if status >= 500:
        return ForgeUnavailable(f"Could not {tried}: the forge answered {status}.")
    wait = _wait(status, headers, said)
    if wait is not None:
        return RateLimited(f"Could not {tried}: the forge asks to wait {wait:.0f} seconds.", retry_after=wait)
    return _refusal(status, said)(f"Could not {tried}: {said} ({status}){_advice(status)}.")


def _refusal(status: int, said: str) -> type[ForgeRefused]:
    if status in {405, 409} or (status == 422 and any(sign in said.lower() for sign in MOVED_ON)):
        return ForgeConflict
    return {404: Missing, 422: Unprocessable}.get(status, ForgeRefused)


def _advice(status: int) -> str:
    return f"; {NEXT_STEP[status]}" if status in NEXT_STEP else ""


def _said(error: GithubException) -> str:
    data: Any = error.data if isinstance(error.data, dict) else {}
    details = [
        str(detail.get("message") or detail.get("code") or detail) if isinstance(detail, dict) else str(detail)
        for detail in data.get("errors") or ()
    ]
    return ": ".join([str(data.get("message") or "refused"), *details])[:500]


def _wait(status: int, headers: Mapping[str, str], said: str) -> float | None:
    """Seconds until the limit ends; None when this answer is not about a limit."""
    if status not in {403, 429}:
        return None
    if (after := headers.get("retry-after", "")).isdigit():
        return max(1.0, float(after))
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        return max(1.0, float(headers["x-ratelimit-reset"]) - _now(headers) + 1)
    if status == 429 or "rate limit" in said.lower() or "abuse" in said.lower():
        return SECONDARY_WAIT
    return None


def _now(headers: Mapping[str, str]) -> float:
    """The forge's clock where it shows it: the reset time is told on that clock, not on ours."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return time.time()
