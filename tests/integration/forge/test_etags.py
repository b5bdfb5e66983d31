"""A conditional request costs nothing while nothing changed, and never hides a change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from entropy.forge.records import issues, repositories, users
from entropy.forge.records.versions import touch
from tests.integration.forge.conftest import NAME, Village

REPO = f"/repos/{NAME}"
SHOWN = (
    "issues", "labels", "collaborators", "pulls", "comments", "issue_labels", "assignees", "reviews", "locks",
    "review_comments", "reactions", "sub_issues", "dependencies",
)  # fmt: skip
"""The tables that an issue's JSON is made of, and those that make it look changed."""
ASKED = (f"{REPO}/issues?state=all&per_page=100", f"{REPO}/issues/1", f"{REPO}/issues/2")


def _ask(
    village: Village, who: str, method: str, path: str, body: object = None, *, tag: str = ""
) -> requests.Response:
    headers = {"Authorization": f"Bearer {village.tokens[who]}"} | ({"If-None-Match": tag} if tag else {})
    return requests.request(method, village.server.api + path, json=body, headers=headers, timeout=30)


def _seen(village: Village, path: str) -> tuple[str, bytes]:
    answer = _ask(village, "read", "GET", path)
    assert answer.status_code == 200
    return answer.headers["ETag"], answer.content


@pytest.fixture
def busy(village: Village, change: Callable[..., str]) -> Village:
    """With issue 1 and pull request 2."""
    change("topic")
    for method, path, body in (
        ("POST", "/issues", {"title": "One", "body": "Text"}),
        ("POST", "/labels", {"name": "bug"}),
        ("POST", "/pulls", {"title": "Two", "head": "topic", "base": "main"}),
    ):
        assert _ask(village, "write", method, REPO + path, body).status_code == 201
    return village


CHANGES: list[tuple[str, str, object]] = [
    ("POST", "/issues/1/labels", {"labels": ["bug"]}),
    ("PATCH", "/labels/bug", {"color": "ff0000"}),
    ("PATCH", "/labels/bug", {"new_name": "defect"}),
    ("POST", "/issues/1/comments", {"body": "Hello"}),
    ("PATCH", "/issues/comments/1", {"body": "Hello again"}),
    ("DELETE", "/issues/comments/1", None),
    ("PATCH", "/issues/1", {"title": "Better"}),
    ("PATCH", "/issues/1", {"body": "Other text"}),
    ("PATCH", "/issues/1", {"state": "closed", "state_reason": "not_planned"}),
    ("PATCH", "/issues/1", {"state": "open"}),
    ("POST", "/issues/1/assignees", {"assignees": ["read"]}),
    ("DELETE", "/issues/1/assignees", {"assignees": ["read"]}),
    ("POST", "/issues/1/reactions", {"content": "eyes"}),
    ("DELETE", "/issues/1/reactions/1", None),
    ("PUT", "/issues/1/lock", {"lock_reason": "spam"}),
    ("DELETE", "/issues/1/lock", None),
    ("POST", "/pulls/2/reviews", {"event": "COMMENT", "body": "Hm"}),
    ("DELETE", "/labels/defect", None),
    ("POST", "/issues", {"title": "Another"}),
    ("PUT", "/pulls/2/merge", {}),
]


def test_no_change_hides_behind_an_old_tag(busy: Village) -> None:
    """Each change is seen by the list and by both items, unless there is nothing in them to see."""
    hidden = []
    for method, path, body in CHANGES:
        before = {asked: _seen(busy, asked) for asked in ASKED}
        answer = _ask(busy, "admin", method, REPO + path, body)
        assert answer.ok, (method, path, answer.text)
        for asked, (tag, content) in before.items():
            status, now = _ask(busy, "read", "GET", asked, tag=tag).status_code, _seen(busy, asked)[1]
            if status != 200 and now != content:
                hidden.append((method, path, asked))
    assert hidden == []


def test_what_changes_elsewhere_and_by_the_store_is_seen_too(busy: Village, source: Path) -> None:
    store, (tag, former) = busy.server.store, _seen(busy, ASKED[1])
    store.import_repository(source, "acme/other")
    with store.write() as db:
        other, author = repositories.named(db, "acme/other"), users.named(db, "read")
        assert other is not None
        assert author is not None
        issues.create(db, other["id"], author["id"], title="Far", body=None)
    assert _ask(busy, "read", "GET", ASKED[1], tag=tag).status_code == 304, "another repository's change"
    with store.write() as db:
        home = repositories.named(db, NAME)
        assert home is not None
        issues.add_labels(db, issues.numbered(db, 1), author["id"], ["direct"])
    assert _ask(busy, "read", "GET", ASKED[1], tag=tag).status_code == 200, "past the API"
    actions: list[Callable[[], object]] = [
        lambda: store.add_collaborator(NAME, "read", "write"),
        lambda: store.rename(NAME, "Rocket"),
        lambda: store.transfer(NAME, "nasa"),
        lambda: store.add_user("newcomer"),
    ]
    for action in actions:
        tag, was = _seen(busy, f"/repositories/{home['id']}/issues/1")
        action()
        status = _ask(busy, "read", "GET", f"/repositories/{home['id']}/issues/1", tag=tag).status_code
        assert status == 200 or _seen(busy, f"/repositories/{home['id']}/issues/1")[1] == was
    assert "nasa" in _seen(busy, ASKED[1])[1].decode()
    tag, _ = _seen(busy, ASKED[0])
    with store.write() as db:
        touch(db, home["id"])
    assert _ask(busy, "read", "GET", ASKED[0], tag=tag).status_code == 200
    assert former != _seen(busy, ASKED[1])[1]


def test_every_row_that_an_issue_shows_moves_the_version(busy: Village) -> None:
    """Past the API, too: whatever writes to one of these tables, the triggers see it."""
    comment = {"path": "engine.py", "line": 2, "side": "RIGHT", "body": "Why?"}
    for method, path, body in (
        ("POST", "/issues/1/labels", {"labels": ["bug"]}),
        ("POST", "/issues/1/comments", {"body": "Hello"}),
        ("POST", "/issues/1/assignees", {"assignees": ["read"]}),
        ("POST", "/issues/1/reactions", {"content": "eyes"}),
        ("PUT", "/issues/1/lock", None),
        ("POST", "/pulls/2/reviews", {"event": "COMMENT", "body": "Hm", "comments": [comment]}),
    ):
        assert _ask(busy, "admin", method, REPO + path, body).ok, path
    still = []
    with busy.server.store.write() as db:
        db.execute("INSERT INTO sub_issues (child_id, parent_id, position) VALUES (2, 1, 0)")
        db.execute("INSERT INTO dependencies (issue_id, blocker_id) VALUES (2, 1)")
    with busy.server.store.read() as db:
        for table in SHOWN:
            for statement in (f"UPDATE {table} SET rowid = rowid", f"DELETE FROM {table}"):
                db.execute("BEGIN")
                db.execute("PRAGMA defer_foreign_keys = ON")
                before = db.execute("SELECT version FROM repositories").fetchone()[0]
                assert db.execute(statement).rowcount > 0, table
                still += [] if db.execute("SELECT version FROM repositories").fetchone()[0] > before else [statement]
                db.execute("ROLLBACK")
    assert still == []


def test_what_is_said_of_commits_leaves_issues_alone(busy: Village) -> None:
    tag, _ = _seen(busy, ASKED[0])
    head = _ask(busy, "read", "GET", f"{REPO}/pulls/2").json()["head"]["sha"]
    for path, body in ((f"/statuses/{head}", {"state": "success"}), ("/check-runs", {"name": "x", "head_sha": head})):
        assert _ask(busy, "write", "POST", REPO + path, body).status_code == 201
    assert _ask(busy, "read", "GET", ASKED[0], tag=tag).status_code == 304


def test_a_tag_is_for_one_question_of_one_token(busy: Village) -> None:
    tag, _ = _seen(busy, ASKED[0])
    assert _ask(busy, "read", "GET", ASKED[0], tag=tag).status_code == 304
    assert _ask(busy, "read", "GET", ASKED[0], tag=f'W/"x", {tag}').status_code == 304
    assert _ask(busy, "write", "GET", ASKED[0], tag=tag).status_code == 200, "tags are a token's own, as on GitHub"
    for other in (f"{REPO}/issues?state=all&per_page=99", f"{REPO}/issues", ASKED[1]):
        assert _ask(busy, "read", "GET", other, tag=tag).status_code == 200
    refused = _ask(busy, "read", "POST", f"{REPO}/labels", {"name": "x"}, tag=tag)
    assert refused.status_code == 403
    path, same = f"{REPO}/issues/1", {"title": "One"}
    made = _ask(busy, "write", "PATCH", path, same)
    again = _ask(busy, "write", "PATCH", path, same, tag=made.headers["ETag"])
    assert (again.status_code, again.content) == (200, made.content), "a write is never unchanged"


def test_a_tag_opens_no_door(busy: Village) -> None:
    tag, _ = _seen(busy, ASKED[0])
    with busy.server.store.write() as db:
        db.execute("DELETE FROM collaborators WHERE user_id = (SELECT id FROM users WHERE login = 'read')")
        db.execute("UPDATE repositories SET private = 1")
    assert _ask(busy, "read", "GET", ASKED[0], tag=tag).status_code == 404


def test_since_lists_what_changed_since(busy: Village) -> None:
    def found(since: str) -> list[int]:
        path = f"{REPO}/issues?state=all&direction=asc&since={since}"
        listed: list[dict[str, Any]] = _ask(busy, "read", "GET", path).json()
        return [entry["number"] for entry in listed]

    with busy.server.store.write() as db:
        db.execute("UPDATE issues SET updated = '2020-01-01T00:00:00Z' WHERE number = 1")
    assert found("2019-12-31T23:59:59Z") == [1, 2]
    assert found("2020-01-01T00:00:00Z") == [1, 2], "the moment itself counts"
    assert found("2020-01-01T00:00:01Z") == [2]
    assert found("2020-01-01T01:00:00%2B01:00") == [1, 2], "in any time zone"
    assert _ask(busy, "write", "POST", f"{REPO}/issues/1/comments", {"body": "New"}).status_code == 201
    assert found("2020-01-01T00:00:01Z") == [1, 2], "a comment is a change"
