"""What happened to an item is told in order, with who did it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.forge.judged import HOME, Judged

ISSUE = f"{HOME}/issues/1"


def told(judged: Judged, number: int = 1) -> list[tuple[str, str]]:
    """Each event of a timeline with its actor."""
    entries = judged.ask("read", "GET", f"{HOME}/issues/{number}/timeline?per_page=100")
    return [(entry["event"], (entry.get("actor") or entry.get("user") or {}).get("login", "")) for entry in entries]


@pytest.fixture
def issue(judged: Judged) -> dict[str, Any]:
    made: dict[str, Any] = judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug", "body": "Broken."})
    return made


@pytest.mark.usefixtures("issue")
def test_a_timeline_says_who_did_what(judged: Judged) -> None:
    judged.ask("triage", "POST", f"{ISSUE}/labels", {"labels": ["entropy:code"]})
    judged.ask("read", "POST", f"{ISSUE}/comments", {"body": "Please."})
    judged.ask("write", "PATCH", ISSUE, {"title": "A bad bug", "assignees": ["admin"]})
    judged.ask("admin", "PUT", f"{ISSUE}/lock", {"lock_reason": "resolved"})
    judged.ask("admin", "DELETE", f"{ISSUE}/lock")
    judged.ask("triage", "DELETE", f"{ISSUE}/labels/entropy:code")
    judged.ask("write", "PATCH", ISSUE, {"state": "closed", "state_reason": "not_planned"})
    judged.ask("write", "PATCH", ISSUE, {"state": "open"})
    assert told(judged) == [
        ("labeled", "triage"),
        ("commented", "read"),
        ("renamed", "write"),
        ("assigned", "write"),
        ("locked", "admin"),
        ("unlocked", "admin"),
        ("unlabeled", "triage"),
        ("closed", "write"),
        ("reopened", "write"),
    ]
    entries = judged.ask("read", "GET", f"{ISSUE}/timeline")
    assert entries[0]["label"]["name"] == "entropy:code"
    assert entries[2]["rename"] == {"from": "A bug", "to": "A bad bug"}
    assert all(entry["created_at"].endswith("Z") for entry in entries)


@pytest.mark.usefixtures("issue")
def test_events_leave_out_what_is_said(judged: Judged) -> None:
    judged.ask("read", "POST", f"{ISSUE}/comments", {"body": "Please."})
    judged.ask("triage", "POST", f"{ISSUE}/labels", {"labels": ["bug"]})
    (event,) = judged.ask("read", "GET", f"{ISSUE}/events")
    assert event["event"] == "labeled"
    placed = judged.ask("read", "GET", f"{HOME}/issues/events/{event['id']}")
    assert (placed["issue"]["number"], placed["actor"]["login"]) == (1, "triage")
    assert [entry["id"] for entry in judged.ask("read", "GET", f"{HOME}/issues/events")] == [event["id"]]


@pytest.mark.usefixtures("issue")
def test_a_label_of_an_event_survives_the_label(judged: Judged) -> None:
    judged.ask("triage", "POST", f"{ISSUE}/labels", {"labels": ["gone"]})
    judged.ask("write", "DELETE", f"{HOME}/labels/gone")
    (entry,) = judged.ask("read", "GET", f"{ISSUE}/timeline")
    assert entry["label"] == {"name": "gone", "color": "ededed"}


def test_a_pull_request_tells_of_commits_reviews_and_force_pushes(judged: Judged, change: Callable[..., str]) -> None:
    first = change("topic")
    judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main"})
    judged.ask("write", "POST", f"{HOME}/pulls/1/requested_reviewers", {"reviewers": ["admin"]})
    judged.ask("admin", "POST", f"{HOME}/pulls/1/reviews", {"event": "REQUEST_CHANGES", "body": "No."})
    second = change("topic", content="def thrust():\n    return 3\n")
    assert first != second
    entries = judged.ask("read", "GET", f"{ISSUE}/timeline")
    assert sorted(told(judged)) == [
        ("committed", ""),
        ("head_ref_force_pushed", "write"),
        ("review_requested", "write"),
        ("reviewed", "admin"),
    ]
    by_event = {entry["event"]: entry for entry in entries}
    assert by_event["committed"]["sha"] == second
    assert by_event["head_ref_force_pushed"]["commit_id"] == second
    assert by_event["reviewed"]["state"] == "changes_requested"
    assert by_event["review_requested"]["requested_reviewer"]["login"] == "admin"


def test_a_merge_is_told_and_closes(judged: Judged, change: Callable[..., str]) -> None:
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug"})
    change("topic")
    judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main", "body": "Fixes #1"})
    judged.ask("admin", "PUT", f"{HOME}/pulls/2/merge", {})
    assert [entry for entry in told(judged, 2) if entry[0] != "committed"] == [("merged", "admin"), ("closed", "admin")]
    assert told(judged) == [("closed", "admin")]


@pytest.mark.parametrize(("person", "status"), [("read", 403), ("triage", 403), ("write", 201)])
@pytest.mark.usefixtures("issue")
def test_in_a_locked_conversation_only_writers_speak(judged: Judged, person: str, status: int) -> None:
    judged.ask("triage", "PUT", f"{ISSUE}/lock", status=204)
    assert judged.ask("read", "GET", ISSUE)["locked"]
    judged.ask(person, "POST", f"{ISSUE}/comments", {"body": "But!"}, status=status)
    judged.ask("stranger", "PUT", f"{ISSUE}/lock", status=403)


def test_a_commit_names_its_pull_requests(judged: Judged, change: Callable[..., str]) -> None:
    head = change("topic")
    judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main"})
    assert [row["number"] for row in judged.ask("read", "GET", f"{HOME}/commits/{head}/pulls")] == [1]
    assert judged.ask("read", "GET", f"{HOME}/commits/main/pulls") == []
    merged = judged.ask("admin", "PUT", f"{HOME}/pulls/1/merge", {})["sha"]
    assert [row["number"] for row in judged.ask("read", "GET", f"{HOME}/commits/{merged}/pulls")] == [1]


def test_a_review_that_is_not_submitted_is_discarded_by_its_author(judged: Judged, change: Callable[..., str]) -> None:
    change("topic")
    judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main"})
    remark = {"path": "engine.py", "line": 2, "side": "RIGHT", "body": "Why?"}
    made = judged.ask("admin", "POST", f"{HOME}/pulls/1/reviews", {"body": "Hm", "comments": [remark]})
    path = f"{HOME}/pulls/1/reviews/{made['id']}"
    assert judged.answer("write", "DELETE", path).status_code == 403
    assert judged.ask("admin", "DELETE", path)["state"] == "PENDING"
    assert judged.ask("read", "GET", f"{HOME}/pulls/1/reviews") == []
    assert judged.ask("read", "GET", f"{HOME}/pulls/1/comments") == []
