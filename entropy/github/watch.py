"""Watching one repository closely: questions that are asked again and again, and cost nothing while nothing changes."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from entropy.github.connection import Connection
from entropy.github.facts import label_names
from entropy.github.settling import settled, state
from entropy.models import Noun

What = TypeVar("What")

FULL = 100
"""As many elements as one answer has; there may be more."""


class OpenPull(Noun):
    """An open pull request, as far as a list tells."""

    number: int
    branch: str | None
    """None when it comes from another repository."""
    head: str
    labels: tuple[str, ...]


class News(NamedTuple, Generic[What]):
    """The answer to a question; `found` is None when it is the same as the last time."""

    etag: str | None
    found: What | None


class Lookout:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def changes(self, repository: str, *, since: str, etag: str | None) -> News[dict[str, str]]:
        """Issues and pull requests that changed since then: number → what tells two states of it apart.

        That begins with the time of the change, as the forge writes it. The state of checks, and whether a pull
        request can be merged, are no changes of it. While one of them may yet change unseen there is no ETag.
        """
        path, tried = f"/repos/{repository}/issues", f"look for changes in {repository}"
        parameters = {"state": "all", "sort": "updated", "direction": "desc", "since": since}
        answer = self._connection.compare(path, parameters, etag=etag, tried=tried)
        if answer.data is None:
            return News(answer.etag, None)
        rows = answer.data
        if len(rows) >= FULL:
            rows = self._connection.rows(path, parameters, tried=tried)
        states = {str(row["number"]): _state_of(row, answer.clock) for row in rows}
        return News(answer.etag if settled(states.values()) else None, states)

    def open_pulls(self, repository: str, *, etag: str | None) -> News[tuple[OpenPull, ...]]:
        """The open pull requests, of many those that changed last."""
        parameters = {"state": "open", "sort": "updated", "direction": "desc"}
        tried = f"look for open pull requests in {repository}"
        answer = self._connection.compare(f"/repos/{repository}/pulls", parameters, etag=etag, tried=tried)
        found = None if answer.data is None else tuple(_open_pull(repository, row) for row in answer.data)
        return News(answer.etag, found)

    def state(self, repository: str, pull: OpenPull, etags: Mapping[str, str]) -> dict[str, News[str]]:
        """What tells two states of a pull request apart that its time of change does not, by question."""
        commit = f"/repos/{repository}/commits/{pull.head}"
        questions: dict[str, tuple[str, Callable[[Any], str | None]]] = {
            f"{pull.number}/merge": (f"/repos/{repository}/pulls/{pull.number}", _mergeable),
            f"{pull.number}/status": (f"{commit}/status", _statuses),
            f"{pull.number}/checks": (f"{commit}/check-runs", _check_runs),
        }
        return {
            name: self._ask(path, tell, etags.get(name), f"look at the state of {repository}#{pull.number}")
            for name, (path, tell) in questions.items()
        }

    def _ask(self, path: str, tell: Callable[[Any], str | None], etag: str | None, tried: str) -> News[str]:
        answer = self._connection.compare(path, {}, etag=etag, tried=tried)
        if answer.data is None:
            return News(answer.etag, None)
        told = tell(answer.data)
        # What is not worked out yet is asked for again, whatever its ETag.
        return News(None, None) if told is None else News(answer.etag, told)


def _state_of(row: dict[str, Any], clock: float) -> str:
    """Its time alone does not do: an item can change twice within a second."""
    told = [row.get(name) for name in ("state", "locked", "title", "body", "comments")]
    digest = hashlib.sha256(json.dumps([*told, label_names(row)]).encode()).hexdigest()
    return state(row["updated_at"], clock, digest[:16])


def _open_pull(repository: str, row: dict[str, Any]) -> OpenPull:
    head = row["head"]
    at_home = head["repo"] is not None and head["repo"]["full_name"].lower() == repository.lower()
    branch = head["ref"] if at_home else None
    return OpenPull(number=row["number"], branch=branch, head=head["sha"], labels=label_names(row))


def _mergeable(row: dict[str, Any]) -> str | None:
    if row["state"] == "open" and row.get("mergeable") is None:
        return None
    return f"{row['head']['sha']} {row.get('mergeable')} {row.get('draft')}"


def _statuses(found: dict[str, Any]) -> str:
    return repr(sorted((status["context"], status["state"]) for status in found["statuses"]))


def _check_runs(found: dict[str, Any]) -> str:
    return repr(sorted((run["name"], run["status"], str(run["conclusion"])) for run in found["check_runs"]))
