"""What machines say of a commit: commit statuses and check runs, as one kind of thing."""

from typing import Any, Literal
from urllib.parse import quote

from entropy.github.connection import Connection
from entropy.items import Check

State = Literal["success", "failure", "pending"]

PASSED = frozenset({"success", "neutral", "skipped"})
DESCRIPTION_LIMIT = 140


class Checks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def at(self, repository: str, commit: str) -> tuple[Check, ...]:
        """The latest status of each context and the latest check run of each name, by name."""
        path, tried = f"/repos/{repository}/commits/{quote(commit)}", f"read the checks of {repository}@{commit[:12]}"
        statuses = self._connection.rows(f"{path}/status", tried=tried, under="statuses")
        runs = self._connection.rows(f"{path}/check-runs", tried=tried, under="check_runs")
        checks = [Check(name=status["context"], state=_status_state(status)) for status in statuses]
        checks += [Check(name=run["name"], state=_run_state(run)) for run in runs]
        return tuple(sorted(checks, key=lambda check: (check.name, check.state)))

    def set_status(self, repository: str, *, commit: str, context: str, state: State, description: str) -> None:
        self._connection.write(
            "POST",
            f"/repos/{repository}/statuses/{quote(commit)}",
            {"state": state, "context": context, "description": description[:DESCRIPTION_LIMIT]},
            target=f"{repository}@{commit[:12]}",
            action=f"set the status {context} of",
        )


def _status_state(status: dict[str, Any]) -> State:
    state: State = status["state"] if status["state"] in {"success", "pending"} else "failure"
    return state


def _run_state(run: dict[str, Any]) -> State:
    if run["status"] != "completed":
        return "pending"
    return "success" if run["conclusion"] in PASSED else "failure"
