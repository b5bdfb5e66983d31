"""Which open items wait for a role: the forge's labels, read."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from entropy.github.connection import Connection
from entropy.github.facts import label_names
from entropy.models import Noun, WorkItem


class Candidate(Noun):
    """An open item that carries one of the labels that were asked for."""

    item: WorkItem
    title: str
    labels: tuple[str, ...]
    created: datetime
    updated: datetime
    is_pull_request: bool


class Discovery:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def labelled(self, repository: str, labels: Collection[str]) -> tuple[Candidate, ...]:
        """Open issues and pull requests with at least one of the labels, oldest first."""
        found: dict[int, Candidate] = {}
        for label in sorted(labels):  # one question each: the forge joins several labels with "and"
            parameters = {"labels": label, "state": "open", "sort": "created", "direction": "asc"}
            tried = f"look for {label} in {repository}"
            for row in self._connection.rows(f"/repos/{repository}/issues", parameters, tried=tried):
                found[row["number"]] = _candidate(repository, row)
        return tuple(sorted(found.values(), key=lambda candidate: (candidate.created, candidate.item.number)))

    def installed(self) -> tuple[str, ...]:
        """The repositories that the App behind the token is installed on; refused to whoever is no App."""
        path, tried = "/installation/repositories", "list the repositories of the installation"
        owners = self._connection.owners()
        rows = [
            row
            for owner in owners
            for row in self._connection.rows(path, tried=tried, under="repositories", within=owner)
        ]
        # The forge refuses every write to an archived one.
        return tuple(row["full_name"] for row in rows if not row["archived"])


def _candidate(repository: str, data: dict[str, Any]) -> Candidate:
    return Candidate(
        item=WorkItem(repository=repository, number=data["number"]),
        title=data["title"],
        labels=label_names(data),
        created=datetime.fromisoformat(data["created_at"]),
        updated=datetime.fromisoformat(data["updated_at"]),
        is_pull_request="pull_request" in data,
    )
