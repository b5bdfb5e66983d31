"""Reviews of pull requests: reading them, and leaving one of our own."""

import contextlib
from typing import Any, NamedTuple

from entropy.errors import ForgeUnavailable
from entropy.github.checks import Checks, State
from entropy.github.connection import Connection, pull_path
from entropy.github.errors import Missing, Unprocessable
from entropy.github.facts import login_of
from entropy.github.markers import bears, marked
from entropy.github.patches import shown_lines, split
from entropy.items import Review
from entropy.models import Finding, Verdict, WorkItem

Findings = tuple[Finding, ...]

EVENTS = {Verdict.APPROVED: "APPROVE", Verdict.CHANGES_REQUESTED: "REQUEST_CHANGES"}


ONE_PENDING = "one pending review"
"""What the forge says to a second one."""


class Draft(NamedTuple):
    """Which review is meant."""

    item: WorkItem
    commit: str
    marker: str


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
        """Review `commit` once per marker. A finding at a line that the diff does not show goes into the body.

        The forge lets an account have one pending review per pull request, and submits a review once. So whoever else
        of us is at it, and however long one of us stood still in between, what people see is one review.
        """
        draft = Draft(item, commit, marker)
        found = self._ours(draft)
        if found is None:
            self._begin(draft, body, findings)
            found = self._ours(draft)  # somebody else of us may have submitted theirs before this one was there
        if found is None:
            raise ForgeUnavailable(f"Could not review {item}: the forge does not show the review yet.")
        if found["state"] == "PENDING":
            self._submit(draft, found, EVENTS.get(verdict, "COMMENT"))

    def set_status(self, repository: str, *, commit: str, context: str, state: State, description: str) -> None:
        """Say of a commit how a check went; the last word per context counts."""
        self._checks.set_status(repository, commit=commit, context=context, state=state, description=description)

    def _ours(self, draft: Draft) -> dict[str, Any] | None:
        """Our review of this commit, submitted if there is one; every pending one that is not needed is dropped."""
        mine = [row for row in self._rows(draft.item) if login_of(row["user"]) == self._connection.login]
        fitting = [row for row in mine if row["commit_id"] == draft.commit and bears(draft.marker, row["body"])]
        found = next((row for row in fitting if row["state"] != "PENDING"), fitting[0] if fitting else None)
        for row in mine:
            if row["state"] == "PENDING" and row is not found:
                self._drop(draft.item, row["id"])
        return found

    def _begin(self, draft: Draft, body: str, findings: Findings) -> None:
        item = draft.item
        inside, outside = split(findings, self._shown(item)) if findings else ((), ())
        try:
            self._create(draft, _body(body, outside), inside)
        except Unprocessable as refusal:
            if ONE_PENDING in str(refusal):
                return  # somebody else of us has just begun
            if not inside:
                raise
            # The diff moved between the look and the write: say everything in the body.
            self._create(draft, _body(body, findings), ())

    def _create(self, draft: Draft, body: str, findings: Findings) -> None:
        comments = [
            {"path": finding.path, "line": finding.line, "side": "RIGHT", "body": finding.message}
            for finding in findings
        ]
        review = {"commit_id": draft.commit, "body": marked(draft.marker, body), "comments": comments}
        self._connection.write("POST", f"{pull_path(draft.item)}/reviews", review, target=draft.item, action="review")

    def _submit(self, draft: Draft, row: dict[str, Any], event: str) -> None:
        path = f"{pull_path(draft.item)}/reviews/{row['id']}/events"
        try:
            self._connection.write(
                "POST", path, {"event": event, "body": row["body"]}, target=draft.item, action="review"
            )
        except (Unprocessable, Missing):
            found = self._ours(draft)
            if found is None or found["state"] == "PENDING":
                self._drop(draft.item, row["id"])
                raise

    def _drop(self, item: WorkItem, review: int) -> None:
        path = f"{pull_path(item)}/reviews/{review}"
        with contextlib.suppress(Missing, Unprocessable):  # it is gone, or has just been submitted
            self._connection.write("DELETE", path, target=item, action="take back a pending review of")

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
