"""What the limits of the forge need to know of a request, and what they learn from its answer."""

import re
from collections.abc import Mapping
from typing import Protocol

from entropy.github.errors import clock, said, waiting_time
from entropy.github.transport import GRAPHQL, Request, Response, read_leniently
from entropy.models import Importance, Standing, Turn

_MERGE = re.compile(r"/pulls/\d+/merge$")
_COMMENT = re.compile(r"/comments(/\d+(/replies|/reactions)?)?$|/reactions(/\d+)?$")
_CONTENT = re.compile(r"/(issues|pulls|comments|reviews|reviews/\d+/events|replies|reactions)$")
_MERGING = re.compile(r"\b(enqueuePullRequest|mergePullRequest|enablePullRequestAutoMerge)\b")


class Limiter(Protocol):
    """Lets requests through as fast as the forge bears it, over all processes."""

    def enter(self, identity: str, resource: str, importance: Importance, *, content: bool = False) -> Turn:
        """Wait a little for a place; raises `RateLimited` when there is none for longer."""

    def leave(self, turn: Turn, standing: Standing | None) -> None:
        """Tell how it went; None when no answer came, so that nobody knows."""


def importance(request: Request) -> Importance:
    """Merges before labels, reviews and pull requests, these before comments, and every write before reads."""
    if request.reads:
        return Importance.READ
    path = request.path.partition("?")[0]
    if _MERGE.search(path) or (path == GRAPHQL and _MERGING.search(request.body["query"])):
        return Importance.MERGE
    return Importance.COMMENT if _COMMENT.search(path) else Importance.CHANGE


def content(request: Request) -> bool:
    """Whether it makes something that people are told of; edits, labels, statuses and merges are none of it."""
    return request.verb == "POST" and _CONTENT.search(request.path.partition("?")[0]) is not None


def resource(request: Request) -> str:
    """Which of the forge's hourly budgets pays."""
    if request.path == GRAPHQL:
        return "graphql"
    return "search" if request.path.startswith("/search/") else "core"


def standing(response: Response, turn: Turn) -> Standing:
    """Where the identity stands after this answer."""
    headers = response.headers
    pause = _pause(response)
    known = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"} <= headers.keys()
    if not known or headers.get("x-ratelimit-resource", turn.resource) != turn.resource:
        return Standing(pause=pause)
    return Standing(
        limit=_whole(headers, "limit"),
        remaining=_whole(headers, "remaining"),
        reset=max(0.0, _whole(headers, "reset") - clock(headers)),
        pause=pause,
    )


def _whole(headers: Mapping[str, str], name: str) -> int:
    return int(float(headers[f"x-ratelimit-{name}"]))


def _pause(response: Response) -> float:
    """Seconds for which everybody of this identity has to stop; an exhausted budget is not among the reasons."""
    status, headers, text = response
    if headers.get("x-ratelimit-remaining") == "0" and "retry-after" not in headers:
        return 0.0
    return waiting_time(status, headers, said(read_leniently(text))) or 0.0
