"""What machines say of a commit: commit statuses and check runs, as one kind of thing."""

from typing import Any, Literal
from urllib.parse import quote

from entropy.github.connection import Connection
from entropy.github.errors import Missing
from entropy.github.job_logs import ACTIONS, JobLogs, cleaned, tail
from entropy.github.markers import fit
from entropy.items import Check, FailedCheck
from entropy.models import Finding, Noun

State = Literal["success", "failure", "pending"]

PASSED = frozenset({"success", "neutral", "skipped"})
DESCRIPTION_LIMIT = 140
ANNOTATIONS_LIMIT = 50
"""How many remarks GitHub takes with one request."""
MOST_LOGS = 10
"""As many logs are fetched for one commit; the checks behind them say what failed, and not why."""


class CheckReport(Noun):
    """What a finished check of ours came to; `id` names whoever found it."""

    id: str
    conclusion: Literal["success", "failure"]
    title: str
    summary: str
    findings: tuple[Finding, ...] = ()


class Checks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._logs = JobLogs(connection)

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

    def failed(self, repository: str, commit: str, *, logs: bool = False) -> tuple[FailedCheck, ...]:
        """The checks that failed at a commit, with what they say about it; with `logs` also what their jobs printed."""
        path, tried = f"/repos/{repository}/commits/{quote(commit)}", f"read the checks of {repository}@{commit[:12]}"
        statuses = self._connection.rows(f"{path}/status", tried=tried, under="statuses")
        runs = self._connection.rows(f"{path}/check-runs", tried=tried, under="check_runs")
        failed = [run for run in runs if _run_state(run) == "failure"]
        jobs = [run["id"] for run in failed if logs and _is_job(run)][:MOST_LOGS]
        return (
            *(_failed_status(status) for status in statuses if _status_state(status) == "failure"),
            *(self._failed_run(repository, run, job=run["id"] in jobs) for run in failed),
        )

    def rerun(self, repository: str, run: int) -> None:
        """Ask whoever made a check run to make it again; GitHub Actions hears of it at another address than Apps do."""
        known = self._connection.get(f"/repos/{repository}/check-runs/{run}", tried=f"read a check of {repository}")
        rest = f"actions/jobs/{run}/rerun" if _is_job(known) else f"check-runs/{run}/rerequest"
        path = f"/repos/{repository}/{rest}"
        self._connection.write("POST", path, target=f"{repository}, check run {run},", action="ask again for")

    def ensure_run(self, repository: str, *, commit: str, name: str, report: CheckReport) -> None:
        """A finished check run, once per report's id. Only Apps may make any; others are refused."""
        path, tried = (
            f"/repos/{repository}/commits/{quote(commit)}/check-runs",
            f"read the check {name} of {repository}",
        )
        known = self._connection.rows(path, {"check_name": name}, tried=tried, under="check_runs")
        if any(run["external_id"] == report.id for run in known):
            return
        body = {"name": name, "head_sha": commit, **_told(report)}
        target = f"{repository}@{commit[:12]}"
        self._connection.write("POST", f"/repos/{repository}/check-runs", body, target=target, action="set a check of")

    def _failed_run(self, repository: str, run: dict[str, Any], *, job: bool) -> FailedCheck:
        path, output = f"/repos/{repository}/check-runs/{run['id']}/annotations", run["output"]
        try:
            remarks = self._connection.rows(path, tried=f"read the remarks of the check {run['name']}")
        except Missing:
            remarks = []
        said = cleaned("\n".join(filter(None, (output.get("summary"), output.get("text")))))
        printed = self._logs.tail(repository, run["id"]) if job else ""
        return FailedCheck(
            name=run["name"],
            run=run["id"],
            completed=run["completed_at"] or "",
            summary=cleaned(output.get("title") or ""),
            log=tail("\n".join(filter(None, (said, printed)))),
            findings=tuple(_finding(remark) for remark in remarks),
        )


def _failed_status(status: dict[str, Any]) -> FailedCheck:
    said = cleaned(status["description"] or "")
    return FailedCheck(name=status["context"], completed=status["updated_at"], summary=said)


def _finding(remark: dict[str, Any]) -> Finding:
    return Finding(path=remark["path"], line=remark["start_line"], message=cleaned(remark["message"] or ""))


def _is_job(run: dict[str, Any]) -> bool:
    return (run.get("app") or {}).get("slug") == ACTIONS


def _told(report: CheckReport) -> dict[str, Any]:
    remarks = [
        {
            "path": finding.path,
            "start_line": finding.line,
            "end_line": finding.line,
            "annotation_level": "failure",
            "message": finding.message,
        }
        for finding in report.findings[:ANNOTATIONS_LIMIT]
    ]
    output = {"title": report.title, "summary": fit(report.summary), "annotations": remarks}
    return {"external_id": report.id, "status": "completed", "conclusion": report.conclusion, "output": output}


def _status_state(status: dict[str, Any]) -> State:
    state: State = status["state"] if status["state"] in {"success", "pending"} else "failure"
    return state


def _run_state(run: dict[str, Any]) -> State:
    if run["status"] != "completed":
        return "pending"
    return "success" if run["conclusion"] in PASSED else "failure"
