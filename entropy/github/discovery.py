"""Which open items wait for a role: the forge's labels, read."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from entropy.github.connection import Connection
from entropy.github.facts import label_names
from entropy.github.watch import FULL
from entropy.models import Noun, WorkItem


class Candidate(Noun):
    """An open item that carries one of the labels that were asked for."""

    item: WorkItem
    title: str
    labels: tuple[str, ...]
    created: datetime
    updated: datetime
    is_pull_request: bool


class InstalledPage(Noun):
    """A part of the repositories that an App is installed on."""

    names: tuple[str, ...]
    last: bool


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

    def owners(self) -> tuple[str | None, ...]:
        """Whose repositories an App is installed on; None alone where it is no App."""
        return self._connection.owners()

    def installed(self, owner: str | None, page: int, *, etag: str | None) -> tuple[str | None, InstalledPage | None]:
        """One page of the repositories that the App is installed on, and its ETag; None when it is as it was.

        Refused to whoever is no App.
        """
        answer = self._connection.compare(
            "/installation/repositories",
            {"page": page},
            etag=etag,
            tried="list the repositories that the App is installed on",
            within=owner,
        )
        if answer.data is None:
            return answer.etag, None
        rows = answer.data["repositories"]
        # The forge refuses every write to an archived one.
        names = tuple(row["full_name"] for row in rows if not row["archived"])
        return answer.etag, InstalledPage(names=names, last=len(rows) < FULL)


def _candidate(repository: str, data: dict[str, Any]) -> Candidate:
    return Candidate(
        item=WorkItem(repository=repository, number=data["number"]),
        title=data["title"],
        labels=label_names(data),
        created=datetime.fromisoformat(data["created_at"]),
        updated=datetime.fromisoformat(data["updated_at"]),
        is_pull_request="pull_request" in data,
    )
