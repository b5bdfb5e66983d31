"""Every answer keeps GitHub's contract: a walk through what no other test here asks for."""

from collections.abc import Callable

from tests.integration.forge.judged import HOME, NAME, Judged


def test_branches_commits_refs_and_files(judged: Judged, change: Callable[..., str]) -> None:
    head = change("topic/one")
    compared = judged.ask("read", "GET", f"{HOME}/compare/main...topic/one")
    assert (compared["status"], compared["ahead_by"], compared["behind_by"]) == ("ahead", 1, 0)
    assert [file["filename"] for file in compared["files"]] == ["engine.py"]
    assert judged.ask("read", "GET", f"{HOME}/commits?sha=topic/one")[0]["sha"] == head
    assert judged.ask("read", "GET", f"{HOME}/commits/{head}/statuses") == []
    assert judged.ask("read", "GET", f"{HOME}/branches/topic/one")["commit"]["sha"] == head
    assert {row["name"] for row in judged.ask("read", "GET", f"{HOME}/branches")} == {"main", "topic/one"}
    assert judged.ask("read", "GET", f"{HOME}/git/ref/heads/topic/one")["object"]["sha"] == head
    assert judged.ask("read", "GET", f"{HOME}/git/matching-refs/heads/topic")[0]["object"]["sha"] == head
    assert judged.ask("read", "GET", f"{HOME}/contents/README.md")["encoding"] == "base64"
    assert len(judged.ask("read", "GET", f"{HOME}/contents/")) == 2
    moved = {"sha": judged.ask("read", "GET", f"{HOME}/commits/main")["sha"], "force": True}
    assert judged.ask("write", "PATCH", f"{HOME}/git/refs/heads/topic/one", moved)["object"]["sha"] == moved["sha"]


def test_people_labels_and_lists(judged: Judged) -> None:
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug"})
    judged.ask("triage", "POST", f"{HOME}/issues/1/assignees", {"assignees": ["write"]})
    judged.ask("triage", "DELETE", f"{HOME}/issues/1/assignees", {"assignees": ["write"]})
    judged.ask("triage", "PUT", f"{HOME}/issues/1/labels", {"labels": ["bug"]})
    assert [row["name"] for row in judged.ask("read", "GET", f"{HOME}/issues/1/labels")] == ["bug"]
    assert judged.ask("read", "GET", f"{HOME}/labels/bug")["name"] == "bug"
    assert len(judged.ask("read", "GET", f"{HOME}/labels")) == 1
    judged.ask("triage", "DELETE", f"{HOME}/issues/1/labels", status=204)
    comment = judged.ask("read", "POST", f"{HOME}/issues/1/comments", {"body": "Please."})
    assert [row["id"] for row in judged.ask("read", "GET", f"{HOME}/issues/comments")] == [comment["id"]]
    assert len(judged.ask("admin", "GET", f"{HOME}/collaborators")) == 4
    told = judged.ask("write", "GET", f"{HOME}/collaborators/triage/permission")
    assert (told["permission"], told["role_name"]) == ("read", "triage")
    assert judged.ask("read", "GET", "/users/write")["login"] == "write"
    assert judged.ask("read", "GET", f"/repos/{NAME}")["permissions"]["push"] is False


def test_reviews_and_their_comments(judged: Judged, change: Callable[..., str]) -> None:
    head = change("topic")
    judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main"})
    pull = f"{HOME}/pulls/1"
    remark = {"path": "engine.py", "line": 2, "side": "RIGHT", "body": "Why?"}
    made = judged.ask("admin", "POST", f"{pull}/reviews", {"body": "Hm", "comments": [remark]})
    review = f"{pull}/reviews/{made['id']}"
    assert judged.ask("admin", "POST", f"{review}/events", {"event": "REQUEST_CHANGES", "body": "No."})["state"] == (
        "CHANGES_REQUESTED"
    )
    assert judged.ask("read", "GET", review)["commit_id"] == head
    (listed,) = judged.ask("read", "GET", f"{review}/comments")
    assert listed["body"] == "Why?"
    assert len(judged.ask("read", "GET", f"{HOME}/pulls/comments")) == 1
    assert judged.ask("read", "GET", f"{pull}/requested_reviewers") == {"users": [], "teams": []}
    assert [row["sha"] for row in judged.ask("read", "GET", f"{pull}/commits")] == [head]
    assert judged.answer("read", "GET", f"{pull}/merge").status_code == 404
    assert [row["number"] for row in judged.ask("read", "GET", f"{HOME}/pulls?state=all")] == [1]
