"""Reviews of pull requests: reading them, and leaving one of our own."""

from typing import Any

from entropy.github.checks import Checks, State
from entropy.github.connection import Connection, pull_path
from entropy.github.errors import Unprocessable
from entropy.github.facts import login_of
from entropy.github.markers import bears, marked
from entropy.github.patches import shown_lines, split
from entropy.items import Review
from entropy.models import Finding, Verdict, WorkItem

Findings = tuple[Finding, ...]

EVENTS = {Verdict.APPROVED: "APPROVE", Verdict.CHANGES_REQUESTED: "REQUEST_CHANGES"}


class Reviews:
    def __init__(self, connection: Connection, checks: Checks) -> None:
        self._connection = connection
        self._checks = checks

    def of(self, item: WorkItem) -> tuple[Review, ...]:
        """All submitted reviews, oldest first, in their present state and with their inline findings."""
        rows = [row for row in self._rows(item) if row["state"] != "PENDING"]
        findings = self._findings(item) if rows else {}
        return tuple(_review(row, findings.get(row["id"], ())) for row in rows)

    def ensure(
        self, item: WorkItem, *, marker: str, commit: str, verdict: Verdict, body: str, findings: Findings = ()
    ) -> None:
        """Review `commit` once per marker. A finding at a line that the diff does not show goes into the body."""
        for row in self._rows(item):
            if row["commit_id"] == commit and self._is_ours(row, marker):
                return
        inside, outside = split(findings, self._shown(item)) if findings else ((), ())
        event = EVENTS.get(verdict, "COMMENT")
        try:
            self._create(item, commit, event, marked(marker, _body(body, outside)), inside)
        except Unprocessable:
            if not inside:
                raise
            # The diff moved between the look and the write: say everything in the body.
            self._create(item, commit, event, marked(marker, _body(body, findings)), ())

    def set_status(self, repository: str, *, commit: str, context: str, state: State, description: str) -> None:
        """Say of a commit how a check went; the last word per context counts."""
        self._checks.set_status(repository, commit=commit, context=context, state=state, description=description)

    def _create(self, item: WorkItem, commit: str, event: str, body: str, findings: Findings) -> None:
        comments = [
            {"path": finding.path, "line": finding.line, "side": "RIGHT", "body": finding.message}
            for finding in findings
        ]
        review = {"commit_id": commit, "event": event, "body": body, "comments": comments}
        self._connection.write("POST", f"{pull_path(item)}/reviews", review, target=item, action="review")

    def _is_ours(self, row: dict[str, Any], marker: str) -> bool:
        return login_of(row["user"]) == self._connection.login and bears(marker, row["body"])

    def _rows(self, item: WorkItem) -> list[dict[str, Any]]:
        return self._connection.rows(f"{pull_path(item)}/reviews", tried=f"read the reviews of {item}")

    def _shown(self, item: WorkItem) -> dict[str, frozenset[int]]:
        return shown_lines(self._connection.rows(f"{pull_path(item)}/files", tried=f"read the diff of {item}"))

    def _findings(self, item: WorkItem) -> dict[int, Findings]:
        found: dict[int, Findings] = {}
        for row in self._connection.rows(f"{pull_path(item)}/comments", tried=f"read the remarks on {item}"):
            review, line = row.get("pull_request_review_id"), row.get("line") or row.get("original_line")
            if review is not None and line and row.get("side", "RIGHT") == "RIGHT":
                finding = Finding(path=row["path"], line=line, message=row["body"])
                found[review] = (*found.get(review, ()), finding)
        return found


def _review(row: dict[str, Any], findings: Findings) -> Review:
    author, body = login_of(row["user"]), row["body"] or ""
    return Review(author=author, state=row["state"], commit=row["commit_id"], body=body, findings=findings)


def _body(body: str, findings: Findings) -> str:
    if not findings:
        return body
    remarks = "\n".join(f"- `{finding.path}` line {finding.line}: {finding.message}" for finding in findings)
    return f"{body}\n\nRemarks at lines that the diff does not show:\n\n{remarks}"
