"""Webhooks: whether a delivery comes from the forge, and where it hints that something happened.

Nothing of a payload is believed besides that: whoever looks reads what is there through the API.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from entropy.models import Secret

PREFIX = "sha256="
REPOSITORY = re.compile(r"[\w.-]{1,100}/[\w.-]{1,100}", re.ASCII)
LARGEST = 2**31

ON_ITEMS = frozenset(
    {
        "check_run",
        "check_suite",
        "issue_comment",
        "issue_dependencies",
        "issues",
        "label",
        "merge_group",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_review_thread",
        "push",
        "status",
        "sub_issues",
    }
)
"""Events after which something may be due."""
ON_ROSTER = frozenset({"installation", "installation_repositories", "installation_target", "repository"})
"""Events after which other repositories may be ours, or by other names."""


class Whereabouts(NamedTuple):
    """Where something happened; without numbers anywhere in the repository."""

    repository: str
    numbers: tuple[int, ...]


class Malformed(ValueError):
    """A payload that the forge would not send."""


def is_signed(body: bytes, signature: str, secret: Secret) -> bool:
    """Whether the value of ``X-Hub-Signature-256`` was made from exactly this body with the secret."""
    expected = PREFIX + hmac.new(secret.reveal().encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def place_of(event: str, body: bytes) -> Whereabouts | None:
    """Where to look after this event; None when there is nothing to look at. Raises `Malformed`."""
    payload = _parsed(body)
    if event not in ON_ITEMS:
        return None
    repository = payload.get("repository")
    name = repository.get("full_name") if isinstance(repository, dict) else None
    if not isinstance(name, str) or not REPOSITORY.fullmatch(name):
        return None
    return Whereabouts(name, tuple(dict.fromkeys(_numbers(payload))))


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is not JSON that anybody could read ({type(error).__name__}).") from None
    if not isinstance(payload, dict):
        raise Malformed("The body is JSON, but not an object.")
    return payload


def _numbers(payload: dict[str, Any]) -> Iterator[int]:
    """Of the items that the payload names; of checks, those of the pull requests that they are about."""
    about = [payload.get("issue"), payload.get("pull_request")]
    for name in ("check_run", "check_suite"):
        check = payload.get(name)
        pulls = check.get("pull_requests") if isinstance(check, dict) else None
        about += pulls if isinstance(pulls, list) else []
    for each in about:
        number = each.get("number") if isinstance(each, dict) else None
        if type(number) is int and 0 < number < LARGEST:
            yield number
