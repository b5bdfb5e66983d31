"""What happened to an issue or a pull request, in order: comments, reviews and events."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from entropy.forge.records import activity, comments, reviews
from entropy.forge.web.inert import web_address

LABELLING = {"labeled": "added", "unlabeled": "removed"}
SHOWN = {"closed", "reopened", "merged", "assigned", "unassigned"}
"""Events that stand on their own; a review speaks for itself, and so does the merge that closes."""
VERDICTS = {
    "APPROVED": ("approved", "approved these changes"),
    "CHANGES_REQUESTED": ("refused", "asked for changes"),
    "COMMENTED": ("commented", "commented on these changes"),
    "DISMISSED": ("dismissed", "had a review here that was dismissed"),
    "PENDING": ("commented", "has a review that is not finished"),
}


@dataclass(frozen=True)
class Happening:
    kind: str
    """comment, review, event or labels."""
    when: str
    by: int
    """A user's id."""
    row: sqlite3.Row
    remarks: Sequence[sqlite3.Row] = ()
    changes: tuple[tuple[str, str], ...] = ()
    """Labels that came and went: (added or removed, name)."""


@dataclass(frozen=True)
class CheckLine:
    """A status or a check run."""

    name: str
    verdict: str
    """success, failure, pending or neutral."""
    word: str
    text: str
    address: str | None


def happenings(db: sqlite3.Connection, item: sqlite3.Row) -> list[Happening]:
    issue_id = int(item["id"])
    remarks = reviews.comments_of_pull(db, issue_id)
    found = [Happening("comment", row["created"], row["user_id"], row) for row in comments.find(db, issue_id)]
    for row in reviews.find(db, issue_id):
        said = [remark for remark in remarks if remark["review_id"] == row["id"]]
        found.append(Happening("review", row["submitted"], row["user_id"], row, remarks=said))
    found += _events(activity.events(db, issue_id))
    return list(_grouped(sorted(found, key=lambda one: (one.when, not _came_with(one, item)))))


def _came_with(one: Happening, item: sqlite3.Row) -> bool:
    """The record's clock has whole seconds; labels and assignees given at the opening come before any comment."""
    given = one.kind in {"labels", "event"} and one.row["event"] in {"labeled", "assigned"}
    return given and (one.when, one.by) == (item["created"], item["user_id"])


def _events(rows: Sequence[sqlite3.Row]) -> Iterator[Happening]:
    merges = {row["commit_sha"] for row in rows if row["event"] == "merged"}
    for row in rows:
        if row["event"] in LABELLING:
            change = (LABELLING[row["event"]], row["label"])
            yield Happening("labels", row["created"], row["user_id"], row, changes=(change,))
        elif row["event"] in SHOWN and not (row["event"] == "closed" and row["commit_sha"] in merges):
            yield Happening("event", row["created"], row["user_id"], row)


def _grouped(found: Iterable[Happening]) -> Iterator[Happening]:
    """Labels that one person changes in a row are one line."""
    last: Happening | None = None
    for one in found:
        if last and last.kind == one.kind == "labels" and last.by == one.by:
            last = replace(last, changes=last.changes + one.changes)
            continue
        if last:
            yield last
        last = one
    if last:
        yield last


def verdicts(db: sqlite3.Connection, issue_id: int) -> list[sqlite3.Row]:
    """The review of each person that counts: the newest that is more than a comment, else the newest."""
    chosen: dict[int, sqlite3.Row] = {}
    for row in reviews.find(db, issue_id):
        known = chosen.get(row["user_id"])
        if known is None or row["state"] not in {"COMMENTED", "PENDING"} or known["state"] == "COMMENTED":
            chosen[row["user_id"]] = row
    return list(chosen.values())


def check_lines(found: Iterable[sqlite3.Row], runs: Iterable[sqlite3.Row]) -> list[CheckLine]:
    lines = [
        CheckLine(
            row["context"],
            "failure" if row["state"] == "error" else row["state"],
            row["state"],
            row["description"] or "",
            web_address(row["target_url"]),
        )
        for row in found
    ]
    return lines + [_run_line(row) for row in runs]


def _run_line(row: sqlite3.Row) -> CheckLine:
    word = row["conclusion"] or row["status"]
    red = {"failure", "timed_out", "cancelled", "action_required", "startup_failure"}
    verdict = "success" if word == "success" else ("failure" if word in red else "neutral")
    if row["conclusion"] is None:
        verdict = "pending"
    return CheckLine(row["name"], verdict, word.replace("_", " "), row["title"] or "", web_address(row["details_url"]))
