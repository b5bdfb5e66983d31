"""The GraphQL that programs send: edits, threads, drafts, commits, discovery, and what it costs."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.forge.conftest import Git
from tests.integration.forge.judged import HOME, NAME, Judged

PLACE = {"owner": "acme", "name": "rocket"}
LAST_EDIT = """
query LastEdit($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issueOrPullRequest(number: $number) {
      ... on Issue { lastEditedAt editor { login } locked }
      ... on PullRequest { lastEditedAt editor { login } locked }
    }
  }
}
"""
THREADS = """
query ReviewThreads($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    reviewThreads(first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id isResolved isOutdated path line
              comments(first: 50) { nodes { databaseId author { __typename login } body createdAt } } } } } }
}
"""
RESOLVE = "mutation R($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }"
UNRESOLVE = "mutation U($id: ID!) { unresolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }"
READY = (
    "mutation M($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } } }"
)
DRAFT = "mutation C($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } } }"
HISTORY = """
query History($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issueOrPullRequest(number: $number) {
      ... on Issue { userContentEdits(first: 10) { nodes { editedAt editor { login } } } }
    }
  }
}
"""
COMMIT = """
mutation CreateCommitOnBranch($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid url } }
}
"""


def edited(judged: Judged) -> tuple[str | None, bool]:
    found = judged.query("read", LAST_EDIT, **PLACE, number=1)["data"]["repository"]["issueOrPullRequest"]
    return (found["editor"] or {}).get("login"), found["locked"]


def test_the_last_edit_of_a_body_names_its_editor(judged: Judged) -> None:
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug", "body": "Broken."})
    assert edited(judged) == (None, False)
    judged.ask("write", "PATCH", f"{HOME}/issues/1", {"title": "Another title"})
    assert edited(judged) == (None, False), "a title is told of as renamed"
    judged.ask("write", "PATCH", f"{HOME}/issues/1", {"body": "Broken."})
    assert edited(judged) == (None, False), "nothing was changed"
    judged.ask("triage", "PATCH", f"{HOME}/issues/1", {"body": "Do something else."})
    judged.ask("triage", "PUT", f"{HOME}/issues/1/lock")
    assert edited(judged) == ("triage", True)


def test_the_history_of_a_body_has_every_hand_and_begins_with_how_it_was_written(judged: Judged) -> None:
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug", "body": "Broken."})
    assert history(judged) == []
    judged.ask("write", "PATCH", f"{HOME}/issues/1", {"title": "Another title"})
    judged.ask("triage", "PATCH", f"{HOME}/issues/1", {"body": "Do something else."})
    judged.ask("write", "PATCH", f"{HOME}/issues/1", {"body": "Do it well."})
    assert history(judged) == ["write", "triage", "read"]


def history(judged: Judged) -> list[str]:
    answer = judged.query("read", HISTORY, **PLACE, number=1)
    found = answer["data"]["repository"]["issueOrPullRequest"]["userContentEdits"]["nodes"]
    return [node["editor"]["login"] for node in found]


@pytest.fixture
def pull(judged: Judged, change: Callable[..., str]) -> dict[str, Any]:
    change("topic", content="def thrust():\n    return 2\n\n\ndef stop():\n    return 0\n")
    made: dict[str, Any] = judged.ask(
        "write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main", "draft": True}
    )
    return made


def threads(judged: Judged) -> list[dict[str, Any]]:
    answer = judged.query("read", THREADS, **PLACE, number=1)
    found: list[dict[str, Any]] = answer["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"]
    return found


def test_threads_are_answered_resolved_and_reopened(judged: Judged, pull: dict[str, Any]) -> None:
    place = {"path": "engine.py", "line": 2, "side": "RIGHT", "body": "Why?"}
    judged.ask(
        "admin", "POST", f"{HOME}/pulls/1/reviews", {"event": "COMMENT", "comments": [place, {**place, "line": 5}]}
    )
    first, second = threads(judged)
    number = first["comments"]["nodes"][0]["databaseId"]
    judged.ask("write", "POST", f"{HOME}/pulls/1/comments/{number}/replies", {"body": "Because."})
    assert judged.query("write", RESOLVE, id=first["id"])["data"]["resolveReviewThread"]["thread"]["isResolved"]
    assert [thread["isResolved"] for thread in threads(judged)] == [True, False]
    said = [(row["author"]["login"], row["body"]) for row in threads(judged)[0]["comments"]["nodes"]]
    assert said == [("admin", "Why?"), ("write", "Because.")]
    assert judged.query("admin", UNRESOLVE, id=first["id"])["data"]["unresolveReviewThread"]["thread"] == {
        "isResolved": False
    }
    assert (second["path"], second["line"], second["isOutdated"]) == ("engine.py", 5, False)
    assert pull["draft"]


@pytest.mark.usefixtures("pull")
def test_a_thread_is_outdated_when_its_line_is_gone_and_follows_a_line_that_moved(
    judged: Judged, change: Callable[..., str]
) -> None:
    place = {"path": "engine.py", "side": "RIGHT", "body": "Why?"}
    remarks = [{**place, "line": 2}, {**place, "line": 5}]
    judged.ask("admin", "POST", f"{HOME}/pulls/1/reviews", {"event": "COMMENT", "comments": remarks})
    change("topic", content="# New\ndef thrust():\n    return 9\n\n\ndef stop():\n    return 0\n")
    assert [(thread["line"], thread["isOutdated"]) for thread in threads(judged)] == [(None, True), (6, False)]


def test_strangers_settle_nothing(judged: Judged, pull: dict[str, Any]) -> None:
    place = {"path": "engine.py", "line": 2, "side": "RIGHT", "body": "Why?"}
    judged.ask("admin", "POST", f"{HOME}/pulls/1/reviews", {"event": "COMMENT", "comments": [place]})
    (thread,) = threads(judged)
    for document, node in ((RESOLVE, thread["id"]), (READY, pull["node_id"]), (DRAFT, pull["node_id"])):
        assert judged.query("stranger", document, id=node)["errors"][0]["type"] == "FORBIDDEN"
    assert not threads(judged)[0]["isResolved"]
    assert judged.ask("read", "GET", f"{HOME}/pulls/1")["draft"]


def test_a_draft_becomes_ready_and_a_draft_again(judged: Judged, pull: dict[str, Any]) -> None:
    ready = judged.query("write", READY, id=pull["node_id"])
    assert ready["data"]["markPullRequestReadyForReview"]["pullRequest"] == {"isDraft": False}
    assert not judged.ask("read", "GET", f"{HOME}/pulls/1")["draft"]
    judged.query("write", DRAFT, id=pull["node_id"])
    assert judged.ask("read", "GET", f"{HOME}/pulls/1")["draft"]
    told = [entry["event"] for entry in judged.ask("read", "GET", f"{HOME}/issues/1/timeline")]
    assert told[-2:] == ["ready_for_review", "convert_to_draft"]


def commit(judged: Judged, expected: str, person: str = "write", **changes: Any) -> Any:
    given = {
        "branch": {"repositoryNameWithOwner": NAME, "branchName": "main"},
        "message": {"headline": "Change", "body": "Because."},
        "expectedHeadOid": expected,
        "fileChanges": changes,
    }
    return judged.query(person, COMMIT, input=given)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_commit_on_a_branch_compares_and_sets(judged: Judged, source: Path, git: Git) -> None:
    head = git("rev-parse", "HEAD", cwd=source)
    added = [
        {"path": "docs/new.md", "contents": encoded("New\n")},
        {"path": "engine.py", "contents": encoded("x = 1\n")},
    ]
    made = commit(judged, head, additions=added, deletions=[{"path": "README.md"}])
    oid = made["data"]["createCommitOnBranch"]["commit"]["oid"]
    found = judged.ask("read", "GET", f"{HOME}/commits/main")
    assert (found["sha"], found["commit"]["message"], [row["sha"] for row in found["parents"]]) == (
        oid, "Change\n\nBecause.", [head],
    )  # fmt: skip
    assert {row["filename"]: row["status"] for row in found["files"]} == {
        "README.md": "removed", "docs/new.md": "added", "engine.py": "modified",
    }  # fmt: skip
    assert found["commit"]["verification"]["verified"]
    assert commit(judged, head, additions=added)["errors"][0]["type"] == "STALE_DATA"
    assert judged.ask("read", "GET", f"{HOME}/commits/main")["sha"] == oid
    assert commit(judged, oid, "triage", additions=added)["errors"][0]["type"] == "FORBIDDEN"
    wrong = [{"path": "../x", "contents": ""}]
    assert commit(judged, oid, additions=wrong)["errors"][0]["type"] == "UNPROCESSABLE"


DISCOVER = "query Discover { %s rateLimit { cost remaining } }"
FLAT = 'repository(owner: "acme", name: "rocket") { issues(first: 10, labels: ["code"], states: [OPEN],'
FLAT += " orderBy: {field: UPDATED_AT, direction: DESC}) { nodes { number updatedAt title %s } } }"


def test_a_batch_of_a_hundred_costs_one_point_and_nested_labels_eleven(judged: Judged) -> None:
    judged.ask("triage", "POST", f"{HOME}/issues", {"title": "One", "labels": ["code", "big"]})
    judged.ask("triage", "POST", f"{HOME}/issues", {"title": "Two", "labels": ["other"]})
    judged.ask("triage", "POST", f"{HOME}/issues", {"title": "Three", "labels": ["code"]})
    judged.ask("write", "PATCH", f"{HOME}/issues/3", {"state": "closed"})
    flat = DISCOVER % " ".join(f"r{at}: {FLAT % ''}" for at in range(100))
    nested = DISCOVER % " ".join(f"r{at}: {FLAT % 'labels(first: 10) { nodes { name } }'}" for at in range(100))
    told, dear = (judged.query("read", document)["data"] for document in (flat, nested))
    assert [node["title"] for node in told["r99"]["issues"]["nodes"]] == ["One"]
    assert [node["name"] for node in dear["r7"]["issues"]["nodes"][0]["labels"]["nodes"]] == ["code", "big"]
    assert (told["rateLimit"]["cost"], dear["rateLimit"]["cost"]) == (1, 11)
    assert told["rateLimit"]["remaining"] - dear["rateLimit"]["remaining"] == 11
    left = judged.ask("read", "GET", "/rate_limit")["resources"]["graphql"]["remaining"]
    assert left == dear["rateLimit"]["remaining"]


def test_repositories_by_node_and_those_that_nobody_may_see(judged: Judged, source: Path) -> None:
    judged.server.store.import_repository(source, "acme/secret", private=True)
    judged.server.store.add_collaborator("acme/secret", "admin", "read")
    ids = [judged.ask("admin", "GET", f"/repos/acme/{name}")["node_id"] for name in ("rocket", "secret")]
    document = "query D($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository { nameWithOwner } } }"
    seen = {person: judged.query(person, document, ids=ids)["data"]["nodes"] for person in ("admin", "read")}
    rocket, secret = {"nameWithOwner": NAME}, {"nameWithOwner": "acme/secret"}
    assert seen == {"admin": [rocket, secret], "read": [rocket, None]}
    hidden = judged.query("read", 'query { r: repository(owner: "acme", name: "secret") { name } }')
    assert hidden["data"] == {"r": None}
    assert (hidden["errors"][0]["type"], hidden["errors"][0]["path"]) == ("NOT_FOUND", ["r"])


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("query { repository(owner: ", "Unexpected end"),
        ("query { viewer { logni } }", "Field 'logni' doesn't exist on type 'User'"),
        ("subscription { viewer { login } }", "not understood"),
        ("query A { viewer { login } } query B { viewer { login } }", "operation name is required"),
        ('query { repository(owner: "acme", name: "rocket") { issues { totalCount } } }', "`first` or `last`"),
        ('query { repository(owner: "acme", name: "rocket") { issue(number: 9) { title } } }', "number of 9"),
        ("mutation { resolveReviewThread { thread { id } } }", "missing required arguments"),
        ('mutation { resolveReviewThread(input: {threadId: "x"}) { thread { id } } }', "global id of 'x'"),
    ],
)
def test_a_wrong_document_is_told_so(judged: Judged, document: str, told: str) -> None:
    assert told in judged.query("read", document)["errors"][0]["message"]


def test_nobody_asks_anonymously(judged: Judged) -> None:
    answer = requests.post(f"{judged.server.url}/api/graphql", json={"query": "query { viewer { login } }"}, timeout=30)
    assert answer.status_code == 401
