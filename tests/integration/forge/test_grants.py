"""What the token of an installation opens: each door its own permission, and the repositories that it is for."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from entropy.forge.store import StoreError
from tests.integration.forge.agency import ALL, REPO, SECRET, Agency, founded
from tests.integration.forge.conftest import NAME, Git, Village


@pytest.fixture
def agency(village: Village, source: Path) -> Agency:
    return founded(village, source)


DOORS: list[tuple[str, str, object, dict[str, str]]] = [
    # a request, and the one permission that it takes
    ("GET", f"{REPO}", None, {"metadata": "read"}),
    ("GET", f"{REPO}/collaborators/owner/permission", None, {"metadata": "read"}),
    ("GET", f"{REPO}/issues", None, {"issues": "read"}),
    ("POST", f"{REPO}/issues", {"title": "New"}, {"issues": "write"}),
    ("GET", f"{REPO}/issues/1", None, {"issues": "read"}),
    ("POST", f"{REPO}/issues/1/comments", {"body": "Hi"}, {"issues": "write"}),
    ("POST", f"{REPO}/issues/1/labels", {"labels": ["bug"]}, {"issues": "write"}),
    ("POST", f"{REPO}/issues/2/comments", {"body": "Hi"}, {"pull_requests": "write"}),
    ("PATCH", f"{REPO}/issues/comments/1", {"body": "Hey"}, {"issues": "write"}),
    ("PATCH", f"{REPO}/issues/comments/2", {"body": "Hey"}, {"pull_requests": "write"}),
    ("GET", f"{REPO}/pulls/2", None, {"pull_requests": "read"}),
    ("PATCH", f"{REPO}/pulls/2", {"title": "Better"}, {"pull_requests": "write"}),
    ("POST", f"{REPO}/pulls/2/reviews", {"event": "COMMENT", "body": "Hm"}, {"pull_requests": "write"}),
    ("GET", f"{REPO}/branches/main", None, {"contents": "read"}),
    ("GET", f"{REPO}/contents/README.md", None, {"contents": "read"}),
    ("GET", f"{REPO}/commits/main/status", None, {"statuses": "read"}),
    ("POST", f"{REPO}/statuses/HEAD", {"state": "success"}, {"statuses": "write"}),
    ("GET", f"{REPO}/commits/main/check-runs", None, {"checks": "read"}),
    ("POST", f"{REPO}/check-runs", {"name": "x", "head_sha": "HEAD"}, {"checks": "write"}),
    ("PUT", f"{REPO}/pulls/2/merge", {}, {"contents": "write"}),
]


def test_each_door_opens_for_its_permission_only(agency: Agency, git: Git, tmp_path: Path) -> None:
    owner = agency.village.tokens["owner"]
    git("clone", "-q", agency.village.server.remote(SECRET, owner), "work", cwd=tmp_path)
    git("checkout", "-q", "-b", "topic", cwd=tmp_path / "work")
    git("commit", "-q", "--allow-empty", "-m", "Change", cwd=tmp_path / "work")
    (tmp_path / "work" / "new.txt").write_text("new\n")
    git("add", ".", cwd=tmp_path / "work")
    git("commit", "-q", "-m", "Add", cwd=tmp_path / "work")
    git("push", "-q", "origin", "topic", cwd=tmp_path / "work")
    head = git("rev-parse", "HEAD", cwd=tmp_path / "work")
    assert agency.ask(owner, "POST", f"{REPO}/issues", {"title": "One"}).status_code == 201
    pull = {"title": "Two", "head": "topic", "base": "main"}
    assert agency.ask(owner, "POST", f"{REPO}/pulls", pull).status_code == 201
    names = [*ALL, "metadata"]
    seen = {}
    for method, path, body, needed in DOORS:
        real = json.loads(json.dumps(body).replace("HEAD", head))
        (name, level), address = next(iter(needed.items())), path.replace("HEAD", head)
        others = {each: "write" for each in names if each not in {name, "metadata"}}
        others |= {name: "read"} if level == "write" else {}
        shut = agency.ask(agency.token(permissions=others), method, address, real)
        opened = agency.ask(agency.token(permissions=needed), method, address, real)
        if name == "metadata":
            shut_right = shut.ok  # which every token has
        else:
            accepted = shut.headers.get("X-Accepted-GitHub-Permissions", "")
            told = (shut.status_code, shut.json().get("message"), f"{name}={level}" in accepted)
            shut_right = told == (403, "Resource not accessible by integration", True)
        if not (shut_right and opened.ok):
            seen[method, path] = (shut.status_code, shut.text[:99], opened.status_code, opened.text[:99])
    assert seen == {}


def test_a_token_for_one_repository_is_for_that_one(agency: Agency, source: Path) -> None:
    agency.village.server.store.import_repository(source, "acme/other", private=True)
    token = agency.token(repository_ids=[agency.id_of(SECRET)])
    assert agency.ask(token, "POST", f"{REPO}/issues", {"title": "Mine"}).status_code == 201
    assert agency.ask(token, "GET", "/repos/acme/other").status_code == 404, "private: it is not there"
    assert agency.ask(token, "GET", f"/repos/{NAME}/issues").status_code == 200, "public: everybody may look"
    refused = agency.ask(token, "POST", f"/repos/{NAME}/issues", {"title": "Not mine"})
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
    named = agency.token(repositories=["rocket"])
    assert agency.ask(named, "POST", f"/repos/{NAME}/issues", {"title": "Mine"}).status_code == 201
    assert agency.ask(named, "GET", REPO).status_code == 404


def test_a_search_sees_what_the_token_may_see(agency: Agency) -> None:
    assert agency.ask(agency.village.tokens["owner"], "POST", f"{REPO}/issues", {"title": "Hidden"}).status_code == 201
    path = f"/search/issues?q=repo:{SECRET}+is:issue"
    assert agency.ask(agency.token(), "GET", path).json()["total_count"] == 1
    assert agency.ask(agency.token(repositories=["rocket"]), "GET", path).status_code == 422
    assert agency.ask(agency.village.tokens["stranger"], "GET", path).status_code == 422


def test_an_installation_on_chosen_repositories_reaches_no_others(agency: Agency) -> None:
    store = agency.village.server.store
    assert store.install_app(agency.app.id, "acme", ["rocket"], ALL) == agency.installation
    assert agency.ask(agency.jwt(), "GET", f"{REPO}/installation").status_code == 404
    assert agency.ask(agency.token(), "GET", REPO).status_code == 404
    assert agency.ask(agency.token(), "GET", f"/repos/{NAME}/installation").status_code == 401
    path = f"/app/installations/{agency.installation}/access_tokens"
    assert agency.ask(agency.jwt(), "POST", path, {"repository_ids": [agency.id_of(SECRET)]}).status_code == 422
    with pytest.raises(StoreError, match="workflow"):
        store.install_app(agency.app.id, "acme", None, {"workflow": "write"})


def test_git_obeys_contents_and_the_repositories_of_the_token(
    agency: Agency, git: Git, tmp_path: Path, source: Path
) -> None:
    def remote(**wanted: object) -> str:
        return agency.village.server.remote(SECRET, agency.token(**wanted))

    def refused(run: Callable[[], object], word: str) -> None:
        with pytest.raises(AssertionError, match=word):
            run()

    git("clone", "-q", remote(permissions={"contents": "read"}), "work", cwd=tmp_path)
    work = tmp_path / "work"
    git("commit", "-q", "--allow-empty", "-m", "By an app", cwd=work)
    refused(lambda: git("push", "-q", "origin", "HEAD:a", cwd=work), "403")
    refused(lambda: git("push", "-q", remote(permissions={"issues": "write"}), "HEAD:a", cwd=work), "403")
    refused(lambda: git("fetch", "-q", remote(permissions={"issues": "write"}), cwd=work), "403")
    rocket = [agency.id_of(NAME)]
    refused(lambda: git("fetch", "-q", remote(repository_ids=rocket), cwd=work), "not found")
    git("push", "-q", remote(repository_ids=[agency.id_of(SECRET)]), "HEAD:a", cwd=work)
    public = agency.village.server.remote(NAME, agency.token(repository_ids=[agency.id_of(SECRET)]))
    git("ls-remote", public, cwd=work)
    refused(lambda: git("push", "-q", public, "HEAD:a", cwd=work), "403")
    with agency.village.server.store.read() as db:
        pushes = db.execute("SELECT login FROM journal WHERE path LIKE '%receive-pack'").fetchall()
    assert [row["login"] for row in pushes] == ["entropy-coder[bot]"]
