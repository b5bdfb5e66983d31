"""Who may do what: the whole matrix over HTTP, as GitHub answers it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.integration.forge.conftest import NAME, Git, Village

PEOPLE = ("nobody", "stranger", "read", "triage", "write", "admin")
REPO = f"/repos/{NAME}"
ISSUE = {"title": "A thing"}

ACTIONS = [
    # action, and the statuses for nobody, stranger, read, triage, write, admin
    ("GET", f"{REPO}", None, (200, 200, 200, 200, 200, 200)),
    ("GET", f"{REPO}/issues", None, (200, 200, 200, 200, 200, 200)),
    ("POST", f"{REPO}/issues", ISSUE, (401, 201, 201, 201, 201, 201)),
    ("POST", f"{REPO}/issues/1/comments", {"body": "Hi"}, (401, 201, 201, 201, 201, 201)),
    ("POST", f"{REPO}/issues/1/labels", ["bug"], (401, 403, 403, 200, 200, 200)),
    ("POST", f"{REPO}/issues/1/assignees", {"assignees": ["read"]}, (401, 403, 403, 201, 201, 201)),
    ("PATCH", f"{REPO}/issues/1", {"state": "closed"}, (401, 403, 403, 200, 200, 200)),
    ("POST", f"{REPO}/labels", {"name": "new"}, (401, 403, 403, 403, 201, 422)),
    ("POST", f"{REPO}/statuses/HEAD", {"state": "success"}, (401, 403, 403, 403, 201, 201)),
    ("POST", f"{REPO}/git/refs", {"ref": "refs/heads/x", "sha": "HEAD"}, (401, 403, 403, 403, 201, 422)),
    ("PUT", f"{REPO}/pulls/2/merge", {}, (401, 403, 403, 403, 200, 405)),
    ("GET", f"{REPO}/collaborators", None, (401, 403, 403, 403, 200, 200)),
    ("GET", "/user", None, (401, 200, 200, 200, 200, 200)),
]


def _ask(village: Village, person: str, method: str, path: str, body: object = None) -> requests.Response:
    token = village.tokens.get(person)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.request(method, village.server.api + path, json=body, headers=headers, timeout=30)


def test_each_permission_reaches_exactly_so_far(village: Village, change: Callable[..., str]) -> None:
    head = change("topic")
    assert _ask(village, "admin", "POST", f"{REPO}/issues", ISSUE).status_code == 201
    pull = {"title": "Topic", "head": "topic", "base": "main"}
    assert _ask(village, "write", "POST", f"{REPO}/pulls", pull).status_code == 201
    seen = {}
    for method, path, body, expected in ACTIONS:
        real = {**body, "sha": head} if isinstance(body, dict) and "sha" in body else body
        answers = tuple(
            _ask(village, person, method, path.replace("HEAD", head), real).status_code for person in PEOPLE
        )
        if answers != expected:
            seen[method, path] = answers
    assert seen == {}


def test_wrong_credentials_are_401_everywhere(village: Village) -> None:
    for method, path in (("GET", REPO), ("POST", f"{REPO}/issues"), ("GET", "/rate_limit")):
        answer = requests.request(
            method, village.server.api + path, headers={"Authorization": "token ghp_wrong"}, timeout=30
        )
        assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_a_private_repository_does_not_exist_for_strangers(village: Village, source: Path) -> None:
    village.server.store.import_repository(source, "acme/secret", private=True)
    village.server.store.add_collaborator("acme/secret", "read", "read")
    answers = {person: _ask(village, person, "GET", "/repos/acme/secret").status_code for person in PEOPLE}
    assert answers == dict.fromkeys(PEOPLE, 404) | {"read": 200}
    git = f"{village.server.url}/acme/secret.git/info/refs?service=git-upload-pack"
    assert requests.get(git, timeout=30).status_code == 401
    assert requests.get(git, auth=("x", village.tokens["stranger"]), timeout=30).status_code == 404
    assert requests.get(git, auth=("x", village.tokens["read"]), timeout=30).status_code == 200


@pytest.mark.parametrize(("person", "status"), [("nobody", 401), ("stranger", 403), ("triage", 403), ("write", 200)])
def test_only_writers_push(village: Village, person: str, status: int) -> None:
    url = f"{village.server.url}/{NAME}.git/info/refs?service=git-receive-pack"
    auth = ("x-access-token", village.tokens[person]) if person in village.tokens else None
    answer = requests.get(url, auth=auth, timeout=30)
    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    kind = {"Content-Type": "application/x-git-receive-pack-request"}
    push = f"{village.server.url}/{NAME}.git/git-receive-pack"
    posted = requests.post(push, auth=auth, data=b"0000", headers=kind, timeout=30)
    assert posted.status_code == status


def test_who_may_not_label_has_labels_dropped_without_a_word(village: Village) -> None:
    opened = _ask(
        village, "read", "POST", f"{REPO}/issues", {**ISSUE, "labels": ["entropy:code"], "assignees": ["read"]}
    )
    assert (opened.status_code, opened.json()["labels"], opened.json()["assignees"]) == (201, [], [])
    number = opened.json()["number"]
    edited = _ask(village, "read", "PATCH", f"{REPO}/issues/{number}", {"title": "B", "labels": ["entropy:code"]})
    assert (edited.status_code, edited.json()["title"], edited.json()["labels"]) == (200, "B", [])


def test_comments_are_edited_by_their_author_or_a_writer(village: Village) -> None:
    _ask(village, "read", "POST", f"{REPO}/issues", ISSUE)
    comment = _ask(village, "read", "POST", f"{REPO}/issues/1/comments", {"body": "a"}).json()
    path = f"{REPO}/issues/comments/{comment['id']}"
    answers = {
        person: _ask(village, person, "PATCH", path, {"body": person}).status_code
        for person in ("stranger", "triage", "read", "write")
    }
    assert answers == {"stranger": 403, "triage": 403, "read": 200, "write": 200}
    assert _ask(village, "read", "GET", path).json()["body"] == "write"
    assert _ask(village, "read", "DELETE", path).status_code == 204
    assert _ask(village, "read", "GET", path).status_code == 404


def test_nobody_approves_an_own_pull_request(village: Village, change: Callable[..., str]) -> None:
    change("topic")
    _ask(village, "write", "POST", f"{REPO}/pulls", {"title": "T", "head": "topic", "base": "main"})
    answer = _ask(village, "write", "POST", f"{REPO}/pulls/1/reviews", {"event": "APPROVE"})
    assert (answer.status_code, answer.json()["errors"]) == (422, ["Can not approve your own pull request"])
    assert (
        _ask(village, "write", "POST", f"{REPO}/pulls/1/reviews", {"event": "COMMENT", "body": "x"}).status_code == 200
    )


def test_permission_of_a_collaborator(village: Village) -> None:
    def told(person: str) -> tuple[str, str]:
        answer = _ask(village, "read", "GET", f"{REPO}/collaborators/{person}/permission").json()
        return answer["permission"], answer["role_name"]

    assert [told(person) for person in ("stranger", "triage", "write", "admin")] == [
        ("read", "read"),
        ("read", "triage"),
        ("write", "write"),
        ("admin", "admin"),
    ]


def test_every_write_request_is_in_the_journal(village: Village, change: Callable[..., str], git: Git) -> None:
    change("topic")
    _ask(village, "read", "POST", f"{REPO}/issues", ISSUE)
    _ask(village, "read", "POST", f"{REPO}/issues/1/labels", ["x"])
    _ask(village, "nobody", "POST", f"{REPO}/issues", ISSUE)
    _ask(village, "read", "GET", f"{REPO}/issues")
    with village.server.store.read() as db:
        rows = db.execute("SELECT method, path, login, status FROM journal ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [
        ("POST", f"/{NAME}.git/git-receive-pack", "write", 200),
        ("POST", f"/api/v3{REPO}/issues", "read", 201),
        ("POST", f"/api/v3{REPO}/issues/1/labels", "read", 403),
        ("POST", f"/api/v3{REPO}/issues", None, 401),
    ]
