"""A protected branch takes in what is approved and green, and says what is missing; its queue merges in order."""

from collections.abc import Callable
from typing import Any

import pytest

from entropy.forge.queueing import advance
from tests.integration.forge.judged import HOME, Judged

PROTECTION = f"{HOME}/branches/main/protection"
ENQUEUE = """
mutation EnqueuePullRequest($id: ID!, $head: GitObjectID) {
  enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) { mergeQueueEntry { id position } }
}
"""
DEQUEUE = "mutation DequeuePullRequest($id: ID!) { dequeuePullRequest(input: {id: $id}) { mergeQueueEntry { id } } }"


def protect(judged: Judged, *, checks: list[str] | None, reviews: int | None, strict: bool = False) -> None:
    body = {
        "required_status_checks": None if checks is None else {"strict": strict, "contexts": checks},
        "required_pull_request_reviews": None if reviews is None else {"required_approving_review_count": reviews},
        "enforce_admins": True,
        "restrictions": None,
    }
    judged.ask("admin", "PUT", PROTECTION, body)


def refused(judged: Judged, number: int = 1) -> str:
    answer = judged.answer("admin", "PUT", f"{HOME}/pulls/{number}/merge", {})
    assert answer.status_code == 405, answer.text
    return str(answer.json()["message"])


def state(judged: Judged, number: int = 1) -> str:
    return str(judged.ask("read", "GET", f"{HOME}/pulls/{number}")["mergeable_state"])


def open_pull(judged: Judged, branch: str) -> dict[str, Any]:
    made: dict[str, Any] = judged.ask(
        "write", "POST", f"{HOME}/pulls", {"title": branch, "head": branch, "base": "main"}
    )
    return made


def status(judged: Judged, sha: str, word: str, context: str = "tests") -> None:
    judged.ask("write", "POST", f"{HOME}/statuses/{sha}", {"state": word, "context": context})


def test_required_checks_have_to_be_green(judged: Judged, change: Callable[..., str]) -> None:
    head = change("topic")
    open_pull(judged, "topic")
    assert state(judged) == "clean"
    protect(judged, checks=["tests", "lint"], reviews=None)
    assert state(judged) == "blocked"
    assert refused(judged) == "2 of 2 required status checks have not succeeded: 2 expected."
    status(judged, head, "success")
    assert refused(judged) == 'Required status check "lint" is expected.'
    run = judged.ask("write", "POST", f"{HOME}/check-runs", {"name": "lint", "head_sha": head})
    assert refused(judged) == 'Required status check "lint" is in progress.'
    judged.ask("write", "PATCH", f"{HOME}/check-runs/{run['id']}", {"conclusion": "failure"})
    assert refused(judged) == 'Required status check "lint" is failing.'
    judged.ask("write", "PATCH", f"{HOME}/check-runs/{run['id']}", {"conclusion": "success"})
    assert state(judged) == "clean"
    assert judged.ask("admin", "PUT", f"{HOME}/pulls/1/merge", {})["merged"]


def test_reviews_count_of_those_who_may_write(judged: Judged, change: Callable[..., str]) -> None:
    change("topic")
    open_pull(judged, "topic")
    protect(judged, checks=None, reviews=1)
    judged.ask("read", "POST", f"{HOME}/pulls/1/reviews", {"event": "APPROVE"})
    assert refused(judged) == "At least 1 approving review is required by reviewers with write access."
    judged.ask("admin", "POST", f"{HOME}/pulls/1/reviews", {"event": "REQUEST_CHANGES", "body": "No."})
    assert "Changes were requested" in refused(judged)
    judged.ask("admin", "POST", f"{HOME}/pulls/1/reviews", {"event": "COMMENT", "body": "Hm."})
    assert "Changes were requested" in refused(judged)
    judged.ask("admin", "POST", f"{HOME}/pulls/1/reviews", {"event": "APPROVE"})
    assert judged.ask("write", "PUT", f"{HOME}/pulls/1/merge", {})["merged"]


def test_a_branch_may_have_to_be_up_to_date(judged: Judged, change: Callable[..., str]) -> None:
    change("one", path="one.txt", content="1\n")
    change("two", path="two.txt", content="2\n")
    open_pull(judged, "one")
    open_pull(judged, "two")
    protect(judged, checks=[], reviews=None, strict=True)
    judged.ask("admin", "PUT", f"{HOME}/pulls/1/merge", {})
    assert state(judged, 2) == "behind"
    assert "not up to date" in refused(judged, 2)
    judged.ask("write", "PUT", f"{HOME}/pulls/2/update-branch", {}, status=202)
    assert state(judged, 2) == "clean"
    assert judged.ask("admin", "PUT", f"{HOME}/pulls/2/merge", {})["merged"]


def test_protection_is_looked_at_and_taken_away_by_admins(judged: Judged) -> None:
    assert judged.answer("admin", "GET", PROTECTION).status_code == 404
    protect(judged, checks=["tests"], reviews=2)
    found = judged.ask("admin", "GET", PROTECTION)
    assert found["required_status_checks"]["contexts"] == ["tests"]
    assert found["required_pull_request_reviews"]["required_approving_review_count"] == 2
    judged.ask("write", "GET", PROTECTION, status=403)
    branch = judged.ask("read", "GET", f"{HOME}/branches/main")
    assert (branch["protected"], branch["protection"]["required_status_checks"]["contexts"]) == (True, ["tests"])
    assert [row["protected"] for row in judged.ask("read", "GET", f"{HOME}/branches")] == [True]
    judged.ask("admin", "DELETE", PROTECTION, status=204)
    assert judged.answer("admin", "GET", PROTECTION).status_code == 404


@pytest.fixture
def queued(judged: Judged) -> Judged:
    """Main has a merge queue and wants green tests."""
    assert judged.ask("read", "GET", f"{HOME}/rules/branches/main") == []
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    body = {"name": "queue", "enforcement": "active", "rules": [{"type": "merge_queue"}], "conditions": conditions}
    judged.ask("admin", "POST", f"{HOME}/rulesets", body, status=201)
    assert [rule["type"] for rule in judged.ask("read", "GET", f"{HOME}/rules/branches/main")] == ["merge_queue"]
    protect(judged, checks=["tests"], reviews=None)
    return judged


def test_the_queue_merges_in_order_when_green(queued: Judged, change: Callable[..., str]) -> None:
    heads = [change(name, path=f"{name}.txt", content="x\n") for name in ("one", "two")]
    nodes = [open_pull(queued, name)["node_id"] for name in ("one", "two")]
    assert refused(queued) == "Changes must be made through the merge queue"
    for at, node in enumerate(nodes):
        entry = queued.query("write", ENQUEUE, id=node, head=heads[at])["data"]["enqueuePullRequest"]["mergeQueueEntry"]
        assert entry["position"] == at + 1
    assert "already in the merge queue" in queued.query("write", ENQUEUE, id=nodes[0])["errors"][0]["message"]
    status(queued, heads[1], "success")
    advance(queued.server.store)
    assert not queued.ask("read", "GET", f"{HOME}/pulls/2")["merged"], "the first of the queue is not green yet"
    status(queued, heads[0], "success")
    for _ in heads:
        advance(queued.server.store)
    assert [queued.ask("read", "GET", f"{HOME}/pulls/{number}")["merged"] for number in (1, 2)] == [True, True]
    told = [entry["event"] for entry in queued.ask("read", "GET", f"{HOME}/issues/1/events")]
    assert told == ["added_to_merge_queue", "removed_from_merge_queue", "merged", "closed"]


def test_what_turns_red_moves_or_is_withdrawn_leaves_the_queue(queued: Judged, change: Callable[..., str]) -> None:
    heads = [change(name, path=f"{name}.txt", content="x\n") for name in ("one", "two", "three")]
    nodes = [open_pull(queued, name)["node_id"] for name in ("one", "two", "three")]
    for node in nodes:
        queued.query("write", ENQUEUE, id=node)
    status(queued, heads[0], "failure")
    advance(queued.server.store)
    change("two", path="two.txt", content="y\n")
    advance(queued.server.store)
    assert "errors" not in queued.query("write", DEQUEUE, id=nodes[2])
    assert "not in the merge queue" in queued.query("write", DEQUEUE, id=nodes[2])["errors"][0]["message"]
    with queued.server.store.read() as db:
        assert db.execute("SELECT count(*) FROM queued_pulls").fetchone()[0] == 0
    assert queued.query("write", ENQUEUE, id=nodes[0], head="0" * 40)["errors"][0]["type"] == "UNPROCESSABLE"
