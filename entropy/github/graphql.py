"""What a GraphQL answer says went wrong: its status is 200 all the same."""

from collections.abc import Iterable
from typing import Any

from entropy.errors import EntropyError, ForgeRefused, ForgeUnavailable, RateLimited
from entropy.github.errors import SECONDARY_WAIT

LIMITS = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
ABSENT = "NOT_FOUND"
"""The node is null in the answer; what else was asked for is there."""


def refuse_graphql(errors: Iterable[dict[str, Any]], tried: str) -> None:
    """Raise what the errors of an answer come to, besides nodes that are not there."""
    told = [error for error in errors if error.get("type") != ABSENT]
    if told:
        raise _first(told[0], tried)


def _first(error: dict[str, Any], tried: str) -> EntropyError:
    kind, said = error.get("type"), str(error.get("message") or "no reason given")[:500]
    if kind in LIMITS:
        return RateLimited(f"Could not {tried}: the forge asks to wait.", retry_after=SECONDARY_WAIT)
    if kind is None:  # what GitHub says of a query that took too long, or that broke
        return ForgeUnavailable(f"Could not {tried}: {said}")
    return ForgeRefused(f"Could not {tried}: {said} ({kind}).")
