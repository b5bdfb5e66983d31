"""Webhooks: signed, valid by GitHub's own description, told once, recorded, repeated on demand, and lost on purpose."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from entropy.forge.records import hooks, issues, queue
from entropy.forge.store import Store
from tests.contract.contract import webhooks
from tests.forge_server import running_forge
from tests.integration.forge.judged import HOME, NAME, Judged
from tests.integration.forge.listener import SECRET, Listener, listening, until

HOOKS = f"{HOME}/hooks"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found
    assert found.unsigned == 0
    assert [error for told in found.heard for error in webhooks().errors(told.event, told.payload)] == []


def subscribe(judged: Judged, url: str, *events: str) -> int:
    config = {"url": url, "content_type": "json", "secret": SECRET}
    made = judged.ask("admin", "POST", HOOKS, {"config": config, "events": list(events) or ["*"]}, status=201)
    return int(made["id"])


def recorded(judged: Judged, hook: int, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = judged.ask("admin", "GET", f"{HOOKS}/{hook}/deliveries{query}")
    return found


def test_everything_that_happens_to_an_issue_is_told(judged: Judged, listener: Listener) -> None:
    subscribe(judged, listener.url)
    issue = f"{HOME}/issues/1"
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug", "body": "Broken."})
    judged.ask("triage", "POST", f"{issue}/labels", {"labels": ["entropy:code"]})
    comment = judged.ask("read", "POST", f"{issue}/comments", {"body": "/entropy plan"})["id"]
    judged.ask("read", "PATCH", f"{HOME}/issues/comments/{comment}", {"body": "/entropy code"})
    judged.ask("read", "DELETE", f"{HOME}/issues/comments/{comment}")
    judged.ask("write", "PATCH", issue, {"title": "A bad bug", "body": "Very broken.", "assignees": ["admin"]})
    judged.ask("write", "PATCH", issue, {"assignees": []})
    judged.ask("admin", "PUT", f"{issue}/lock")
    judged.ask("admin", "DELETE", f"{issue}/lock")
    judged.ask("triage", "DELETE", f"{issue}/labels/entropy:code")
    judged.ask("write", "PATCH", issue, {"state": "closed"})
    judged.ask("write", "PATCH", issue, {"state": "open"})
    actions = ("opened", "labeled", "edited", "assigned", "unassigned", "locked", "unlocked", "unlabeled", "closed")
    told = listener.wait(
        "ping",
        *(f"issues.{action}" for action in (*actions, "reopened")),
        *(f"issue_comment.{action}" for action in ("created", "edited", "deleted")),
    )
    labeled, edited = told[2].payload, told[3].payload
    assert (labeled["label"]["name"], labeled["sender"]["login"]) == ("entropy:code", "triage")
    assert labeled["repository"]["full_name"] == NAME
    assert edited["changes"] == {"title": {"from": "A bug"}, "body": {"from": "Broken."}}
    assert told[-1].payload["comment"]["body"] == "/entropy code"
    assert told[-2].payload["changes"] == {"body": {"from": "/entropy plan"}}


def test_everything_that_happens_to_a_pull_request_is_told(
    judged: Judged, listener: Listener, change: Callable[..., str]
) -> None:
    head = change("topic")
    subscribe(judged, listener.url)
    pull = f"{HOME}/pulls/1"
    made = judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main", "draft": True})
    ready = "mutation M($id: ID!) { %s(input: {pullRequestId: $id}) { pullRequest { isDraft } } }"
    for mutation in ("markPullRequestReadyForReview", "convertPullRequestToDraft", "markPullRequestReadyForReview"):
        assert "errors" not in judged.query("write", ready % mutation, id=made["node_id"])
    judged.ask("write", "POST", f"{pull}/requested_reviewers", {"reviewers": ["triage"]})
    judged.ask("write", "DELETE", f"{pull}/requested_reviewers", {"reviewers": ["triage"]})
    remark = {"path": "engine.py", "line": 2, "side": "RIGHT", "body": "Why?"}
    body = {"event": "REQUEST_CHANGES", "body": "No.", "comments": [remark]}
    review = judged.ask("admin", "POST", f"{pull}/reviews", body)["id"]
    remarks = f"{HOME}/pulls/comments"
    first = judged.ask("read", "GET", f"{pull}/comments")[0]["id"]
    second = judged.ask("write", "POST", f"{pull}/comments/{first}/replies", {"body": "Because."})["id"]
    judged.ask("write", "PATCH", f"{remarks}/{second}", {"body": "Because of that."})
    judged.ask("write", "DELETE", f"{remarks}/{second}")
    settle(judged, "resolveReviewThread", "unresolveReviewThread")
    judged.ask("admin", "PUT", f"{pull}/reviews/{review}/dismissals", {"message": "Fine."})
    moved = change("topic", content="def thrust():\n    return 3\n")
    judged.ask("admin", "POST", f"{pull}/reviews", {"event": "APPROVE"})
    judged.ask("admin", "PUT", f"{pull}/merge", {})
    actions = "opened ready_for_review converted_to_draft review_requested review_request_removed synchronize closed"
    told = listener.wait(
        "push",
        *(f"pull_request.{action}" for action in actions.split()),
        *(f"pull_request_review_comment.{action}" for action in ("created", "edited", "deleted")),
        *(f"pull_request_review_thread.{action}" for action in ("resolved", "unresolved")),
        *(f"pull_request_review.{action}" for action in ("submitted", "dismissed")),
    )
    by_name = {each.name: each.payload for each in told}
    assert (by_name["pull_request.synchronize"]["before"], by_name["pull_request.synchronize"]["after"]) == (
        head,
        moved,
    )
    assert by_name["pull_request.closed"]["pull_request"]["merged"]
    states = {told.payload["review"]["state"] for told in listener.wait_count("pull_request_review.submitted", 3)}
    assert states == {"changes_requested", "commented", "approved"}
    pushes = {told.payload["ref"]: told.payload for told in listener.wait_count("push", 2)}
    push = pushes["refs/heads/topic"]
    assert (push["ref"], push["before"], push["after"], push["forced"]) == ("refs/heads/topic", head, moved, True)
    assert (push["pusher"]["name"], push["head_commit"]["modified"]) == ("write", ["engine.py"])


def test_what_issues_and_pull_requests_have_in_common_is_told_of_both(
    judged: Judged, listener: Listener, change: Callable[..., str]
) -> None:
    head = change("topic")
    subscribe(judged, listener.url)
    made = judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main"})
    issue = f"{HOME}/issues/1"
    judged.ask("triage", "POST", f"{issue}/labels", {"labels": ["bug"]})
    judged.ask("triage", "DELETE", f"{issue}/labels/bug")
    judged.ask("write", "PATCH", issue, {"title": "U", "assignees": ["admin"]})
    judged.ask("write", "PATCH", issue, {"assignees": [], "state": "closed"})
    judged.ask("write", "PATCH", issue, {"state": "open"})
    judged.ask("admin", "PUT", f"{issue}/lock")
    judged.ask("admin", "DELETE", f"{issue}/lock")
    judged.ask("read", "POST", f"{issue}/comments", {"body": "Nice."})
    with judged.server.store.write() as db:
        queue.create(db, made["base"]["repo"]["id"], "main", "merge")
    enqueue = "mutation E($id: ID!) { enqueuePullRequest(input: {pullRequestId: $id}) { clientMutationId } }"
    assert "errors" not in judged.query("write", enqueue, id=made["node_id"])
    actions = "labeled unlabeled edited assigned unassigned closed reopened locked unlocked enqueued dequeued"
    told = listener.wait(*(f"pull_request.{action}" for action in actions.split()), "issue_comment.created")
    assert told[-2].payload["reason"] == "MERGE"
    assert told[-1].payload["issue"]["pull_request"]["url"].endswith("/pulls/1")
    until(lambda: judged.ask("read", "GET", f"{HOME}/pulls/1")["merged"])
    assert judged.ask("read", "GET", f"{HOME}/pulls/1")["head"]["sha"] == head


def settle(judged: Judged, *mutations: str) -> None:
    document = 'query { repository(owner: "acme", name: "rocket") { pullRequest(number: 1) { reviewThreads(first: 9) {'
    found = judged.query("read", f"{document} nodes {{ id }} }} }} }} }}")
    (thread,) = found["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"]
    for mutation in mutations:
        write = f"mutation S($id: ID!) {{ {mutation}(input: {{threadId: $id}}) {{ thread {{ id }} }} }}"
        assert "errors" not in judged.query("admin", write, id=thread["id"])


def test_checks_statuses_and_branches_are_told(judged: Judged, listener: Listener, change: Callable[..., str]) -> None:
    head = change("topic")
    subscribe(judged, listener.url)
    judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main"})
    judged.ask("write", "POST", f"{HOME}/statuses/{head}", {"state": "success", "context": "tests"})
    suite = judged.ask("admin", "POST", f"{HOME}/check-suites", {"head_sha": head})["id"]
    run = judged.ask("write", "POST", f"{HOME}/check-runs", {"name": "lint", "head_sha": head})["id"]
    judged.ask("write", "PATCH", f"{HOME}/check-runs/{run}", {"conclusion": "failure"})
    judged.ask("write", "POST", f"{HOME}/check-runs/{run}/rerequest")
    judged.ask("admin", "POST", f"{HOME}/check-suites/{suite}/rerequest")
    judged.ask("write", "POST", f"{HOME}/git/refs", {"ref": "refs/heads/other", "sha": head})
    judged.ask("write", "DELETE", f"{HOME}/git/refs/heads/other")
    judged.ask("write", "POST", f"{HOME}/labels", {"name": "one"})
    judged.ask("write", "PATCH", f"{HOME}/labels/one", {"new_name": "two", "color": "aa0000"})
    judged.ask("write", "DELETE", f"{HOME}/labels/two")
    listener.wait("label.created", "label.edited", "label.deleted")
    told = listener.wait(
        "status",
        *(f"check_run.{action}" for action in ("created", "completed", "rerequested")),
        *(f"check_suite.{action}" for action in ("requested", "completed", "rerequested")),
    )
    assert (told[0].payload["state"], told[0].payload["context"]) == ("success", "tests")
    assert told[2].payload["check_run"]["pull_requests"][0]["number"] == 1
    assert told[5].payload["check_suite"]["conclusion"] == "failure"
    pushes = [(push.payload["created"], push.payload["deleted"]) for push in listener.wait_count("push", 2)]
    assert sorted(pushes) == [(False, True), (True, False)]


def test_headers_name_the_event_the_delivery_and_the_hook(judged: Judged, listener: Listener) -> None:
    hook = subscribe(judged, listener.url, "issues")
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug"})
    judged.ask("read", "POST", f"{HOME}/issues/1/comments", {"body": "Not subscribed."})
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "Another"})
    opened = listener.wait_count("issues.opened", 2)
    assert listener.names() == {"ping", "issues.opened"}
    headers = opened[0].headers
    repository = opened[0].payload["repository"]["id"]
    assert (headers["x-github-hook-id"], headers["x-github-hook-installation-target-type"]) == (str(hook), "repository")
    assert headers["x-github-hook-installation-target-id"] == str(repository)
    assert headers["content-type"] == "application/json"
    assert len({told.guid for told in listener.heard}) == 3


def test_a_failed_delivery_is_recorded_and_repeated_on_demand_only(judged: Judged, listener: Listener) -> None:
    hook = subscribe(judged, listener.url, "issues")
    listener.wait("ping")
    listener.status = 500
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug"})
    (first,) = listener.wait("issues.opened")
    until(lambda: len(recorded(judged, hook)) == 2)
    failed = recorded(judged, hook, "?status=failure")
    assert [(row["event"], row["status_code"], row["guid"], row["redelivery"]) for row in failed] == [
        ("issues", 500, first.guid, False)
    ]
    listener.status = 200
    judged.ask("admin", "POST", f"{HOOKS}/{hook}/deliveries/{failed[0]['id']}/attempts", status=202)
    assert [told.guid for told in listener.wait_count("issues.opened", 2)] == [first.guid] * 2
    until(lambda: len(recorded(judged, hook)) == 3)
    newest = recorded(judged, hook)[0]
    assert (newest["redelivery"], newest["status_code"], newest["guid"]) == (True, 200, first.guid)
    full = judged.ask("admin", "GET", f"{HOOKS}/{hook}/deliveries/{newest['id']}")
    assert full["request"]["payload"] == first.payload
    assert full["request"]["headers"]["X-GitHub-Delivery"] == first.guid


def test_deliveries_come_in_pages(judged: Judged, listener: Listener) -> None:
    hook = subscribe(judged, listener.url, "issues")
    for number in range(4):
        judged.ask("read", "POST", f"{HOME}/issues", {"title": f"Bug {number}"})
    until(lambda: len(recorded(judged, hook)) == 5)
    seen, path = [], f"{HOOKS}/{hook}/deliveries?per_page=2"
    while path:
        answer = judged.answer("admin", "GET", path)
        seen += [row["id"] for row in answer.json()]
        path = answer.links.get("next", {}).get("url", "").removeprefix(judged.server.api)
    assert seen == [row["id"] for row in recorded(judged, hook)]


def test_nobody_at_the_other_end(judged: Judged) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        hook = subscribe(judged, f"http://127.0.0.1:{unused.getsockname()[1]}/", "issues")
        until(lambda: recorded(judged, hook))
    (row,) = recorded(judged, hook)
    assert (row["event"], row["status"], row["status_code"]) == ("ping", "failed to connect to host", 502)
    assert judged.ask("admin", "GET", f"{HOOKS}/{hook}")["last_response"]["status"] == "failed"


def test_a_webhook_gets_lost_and_another_comes_twice(judged: Judged, listener: Listener) -> None:
    hook = subscribe(judged, listener.url, "issues")
    rules = [
        {"effect": "lose_webhook", "path": "^issues.opened$", "count": 1},
        {"effect": "double_webhook", "path": "^issues.labeled$", "count": 1},
    ]
    faults = f"{judged.server.url}/_faults"
    assert requests.post(faults, json=rules, timeout=30).status_code == 200
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "Lost"})
    judged.ask("triage", "POST", f"{HOME}/issues/1/labels", {"labels": ["bug"]})
    first, second = listener.wait_count("issues.labeled", 2)
    assert first == second
    until(lambda: len(recorded(judged, hook)) == 3)
    assert listener.names() == {"ping", "issues.labeled"}
    assert [row["status_code"] for row in recorded(judged, hook, "?status=failure")] == [504]
    assert [rule["fired"] for rule in requests.get(faults, timeout=30).json()] == [1, 1]


def test_what_waits_when_the_forge_ends_is_told_by_the_next(tmp_path: Path, source: Path, listener: Listener) -> None:
    with running_forge(tmp_path) as server:
        server.store.import_repository(source, NAME)
        token = server.store.enrol("admin", name=None, full_name=NAME, permission="admin")
        headers = {"Authorization": f"Bearer {token}"}
        config = {"url": listener.url, "content_type": "json", "secret": SECRET}
        hook = {"config": config, "events": ["issues"]}
        assert requests.post(server.api + HOOKS, json=hook, headers=headers, timeout=30).status_code == 201
        listener.wait("ping")
    with running_forge(tmp_path) as server:
        with server.store.write() as db:
            db.execute("UPDATE deliveries SET status_code = NULL")
        assert [told.guid for told in listener.wait_count("ping", 2)] == [listener.heard[0].guid] * 2


def test_old_deliveries_are_forgotten(tmp_path: Path, source: Path, listener: Listener) -> None:
    def begun() -> list[str]:
        with running_forge(tmp_path) as server, server.store.read() as db:
            return [row["guid"] for row in db.execute("SELECT guid FROM deliveries").fetchall()]

    with Store(tmp_path / "forge") as store:
        store.import_repository(source, NAME)
        config = {"active": True, "events": ["push"], "url": listener.url, "content_type": "json", "secret": SECRET}
        with store.write() as db:
            home = db.execute("SELECT id FROM repositories").fetchone()["id"]
            hook = hooks.create(db, (home, None), {**config, "insecure_ssl": "0"}, origin="http://forge")
            for age in (0, 2, 4):
                db.execute(
                    "INSERT INTO deliveries (hook_id, guid, event, payload, status_code, created) VALUES (?, ?, 'push',"
                    " '{}', 200, strftime('%Y-%m-%dT%H:%M:%SZ', 'now', ?))",
                    (hook["id"], str(age), f"-{age} days"),
                )
    assert begun() == ["0", "2"]


def test_what_another_process_writes_is_told_too(judged: Judged, listener: Listener) -> None:
    subscribe(judged, listener.url)
    with Store(judged.server.data) as other, other.write() as db:
        repository, person = (
            db.execute(f"SELECT id FROM {table}").fetchone()["id"] for table in ("repositories", "users")
        )
        issues.create(db, repository, person, title="From the command line", body=None)
    (told,) = listener.wait("issues.opened")
    assert told.payload["issue"]["title"] == "From the command line"


def test_a_refused_write_tells_nothing(judged: Judged, listener: Listener) -> None:
    subscribe(judged, listener.url)
    listener.wait("ping")
    judged.ask("read", "POST", f"{HOME}/issues", {"title": ""}, status=422)
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug"})
    listener.wait("issues.opened")
    assert [told.name for told in listener.heard] == ["ping", "issues.opened"]
    judged.judge.exchanges.clear()


def test_hooks_are_changed_pinged_and_deleted_by_admins(judged: Judged, listener: Listener) -> None:
    hook = f"{HOOKS}/{subscribe(judged, listener.url, 'push')}"
    judged.ask("write", "GET", hook, status=403)
    again = {"config": {"url": listener.url}, "events": ["push"]}
    assert judged.answer("admin", "POST", HOOKS, again).status_code == 422
    assert judged.answer("admin", "POST", HOOKS, {"config": {"url": "ftp://x"}}).status_code == 422
    judged.judge.exchanges.clear()
    changed = judged.ask("admin", "PATCH", hook, {"add_events": ["issues"], "active": True})
    assert changed["events"] == ["push", "issues"]
    assert changed["config"]["secret"] == "********"
    judged.ask("admin", "POST", f"{hook}/pings", status=204)
    listener.wait_count("ping", 2)
    assert judged.ask("admin", "PATCH", f"{hook}/config", {"content_type": "form"})["content_type"] == "form"
    assert judged.ask("admin", "GET", f"{hook}/config")["content_type"] == "form"
    assert [row["events"] for row in judged.ask("admin", "GET", HOOKS)] == [["push", "issues"]]
    judged.ask("admin", "DELETE", hook, status=204)
    assert judged.ask("admin", "GET", HOOKS) == []
