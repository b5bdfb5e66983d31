"""Repositories that are renamed, transferred, archived or deleted: found by their id, old names lead there."""

from pathlib import Path

import pytest
import requests
from github import GithubException

from entropy.forge.records import repositories
from entropy.forge.store import StoreError
from tests.contract.contract import Exchange, github
from tests.contract.deviations import Deviation
from tests.contract.validator import unexcused
from tests.integration.forge.conftest import NAME, Git, Village

REPO = f"/repos/{NAME}"
DEVIATIONS = (
    Deviation(
        operation="issues/get-label",
        part="response 301",
        message="the description does not know this status here",
        reason="GitHub redirects everything below a repository's former name; the description leaves it out here.",
    ),
)


def _ask(village: Village, who: str, method: str, path: str, body: object = None) -> requests.Response:
    given = {"Authorization": f"Bearer {village.tokens[who]}"} if who in village.tokens else {}
    url = village.server.api + path
    answer = requests.request(method, url, json=body, headers=given, timeout=30, allow_redirects=False)
    sent = answer.request.body or b""
    exchange = Exchange(
        method=method,
        path=path.partition("?")[0],
        query=path.partition("?")[2],
        sent=sent if isinstance(sent, bytes) else sent.encode(),
        status=answer.status_code,
        content_type=answer.headers.get("Content-Type", ""),
        received=answer.content,
    )
    if answer.status_code <= 301:
        assert unexcused(github().violations(exchange), DEVIATIONS) == []
    return answer


def _repository_id(village: Village) -> int:
    return int(_ask(village, "read", "GET", REPO).json()["id"])


def test_everything_below_a_repository_is_there_by_its_id(village: Village) -> None:
    home = f"/repositories/{_repository_id(village)}"
    made = _ask(village, "read", "POST", f"{home}/issues", {"title": "By id"})
    assert (made.status_code, made.json()["number"]) == (201, 1)
    assert _ask(village, "read", "GET", home).json()["full_name"] == NAME
    assert _ask(village, "write", "POST", f"{home}/issues/1/labels", {"labels": ["a/b"]}).status_code == 200
    assert _ask(village, "write", "DELETE", f"{home}/issues/1/labels/a%2Fb").status_code == 200
    assert _ask(village, "read", "POST", f"{home}/labels", {"name": "x"}).status_code == 403, "rights count here too"
    for _ in range(2):
        _ask(village, "read", "POST", f"{home}/issues", {"title": "More"})
    link = _ask(village, "read", "GET", f"{home}/issues?per_page=1").headers["Link"]
    assert f"{village.server.api}{home}/issues?per_page=1&page=2" in link
    for wrong in ("0", "99", "x", "9" * 30, "-1", "%00", "1.5"):
        assert _ask(village, "read", "GET", f"/repositories/{wrong}/issues").status_code == 404


@pytest.mark.parametrize("change", ["rename", "transfer"])
def test_an_old_name_leads_to_the_id(village: Village, change: str) -> None:
    number, store = _repository_id(village), village.server.store
    if change == "rename":
        store.rename(NAME, "shuttle")
    else:
        store.transfer(NAME, "nasa")
    new = "acme/shuttle" if change == "rename" else "nasa/rocket"
    read = _ask(village, "read", "GET", f"{REPO}/issues?labels=a%20b&per_page=5")
    where = f"{village.server.api}/repositories/{number}/issues?labels=a%20b&per_page=5"
    assert (read.status_code, read.headers["Location"]) == (301, where)
    assert (read.json()["message"], read.json()["url"]) == ("Moved Permanently", where)
    quoted = _ask(village, "read", "GET", f"{REPO}/labels/a%2Fb%3F%23").headers["Location"]
    assert quoted == f"{village.server.api}/repositories/{number}/labels/a%2Fb%3F%23"
    written = _ask(village, "read", "POST", f"{REPO}/issues", {"title": "Lost?"})
    assert (written.status_code, written.json()["message"]) == (307, "Temporary Redirect")
    assert written.headers["Location"] == f"{village.server.api}/repositories/{number}/issues"
    assert _ask(village, "read", "GET", REPO).headers["Location"] == f"{village.server.api}/repositories/{number}"
    assert _ask(village, "read", "GET", f"/repos/{new}/issues").json() == [], "nothing was written"
    assert _ask(village, "read", "GET", f"/repositories/{number}").json()["full_name"] == new
    assert _ask(village, "write", "PATCH", f"/repos/{new}", {"name": "x"}).status_code == 403
    with village.client("read") as client:
        assert client.get_repo(NAME).full_name == new, "PyGithub follows"
    with store.write() as db:
        home = repositories.named(db, new)
        assert home is not None
        repositories.set_private(db, home["id"], private=True)
    assert _ask(village, "stranger", "GET", REPO).status_code == 404, "what is private leads nowhere for strangers"
    assert _ask(village, "read", "GET", REPO).status_code == 301


def test_a_name_leads_nowhere_else_once_it_is_used_again(village: Village, source: Path) -> None:
    store, number = village.server.store, _repository_id(village)
    store.rename(NAME, "shuttle")
    store.rename("acme/shuttle", "orbiter")
    for old in (NAME, "acme/shuttle", "ACME/Shuttle"):
        assert _ask(village, "read", "GET", f"/repos/{old}").status_code == 301
    store.import_repository(source, NAME)
    assert _ask(village, "read", "GET", REPO).json()["id"] != number
    store.delete(NAME)
    assert _ask(village, "read", "GET", REPO).status_code == 404, "not to whom it was before"
    store.rename("acme/orbiter", "shuttle")
    assert _ask(village, "read", "GET", "/repos/acme/shuttle").json()["id"] == number
    assert _ask(village, "read", "GET", "/repos/acme/orbiter").status_code == 301
    store.rename("acme/shuttle", "Shuttle")
    assert _ask(village, "read", "GET", "/repos/acme/shuttle").json()["full_name"] == "acme/Shuttle"
    store.import_repository(source, NAME)
    for name, match in (("rocket", "here already"), ("..", "owner/name")):
        with pytest.raises(StoreError, match=match):
            store.rename("acme/shuttle", name)


def test_git_follows_an_old_name(village: Village, git: Git, tmp_path: Path) -> None:
    git("clone", "-q", village.server.remote(NAME), "clone", cwd=tmp_path)
    village.server.store.rename(NAME, "shuttle")
    clone = tmp_path / "clone"
    git("fetch", "-q", "origin", cwd=clone)
    git("checkout", "-q", "-b", "topic", cwd=clone)
    git("commit", "-q", "--allow-empty", "-m", "After", cwd=clone)
    asked = requests.get(
        f"{village.server.remote(NAME)}/info/refs?service=git-upload-pack", timeout=30, allow_redirects=False
    )
    where = f"{village.server.remote('acme/shuttle')}/info/refs?service=git-upload-pack"
    assert (asked.status_code, asked.headers["Location"]) == (301, where)
    header = f"http.extraHeader=Authorization: Bearer {village.tokens['write']}"
    git("-c", header, "push", "-q", "origin", "topic", cwd=clone)
    assert "topic" in git("ls-remote", village.server.remote("acme/shuttle"), cwd=clone)


def test_an_archived_repository_is_read_only(village: Village, git: Git, tmp_path: Path) -> None:
    _ask(village, "read", "POST", f"{REPO}/issues", {"title": "One"})
    village.server.store.archive(NAME)
    assert _ask(village, "read", "GET", REPO).json()["archived"] is True
    for method, path, body in (
        ("POST", "/issues", {"title": "x"}),
        ("PATCH", "/issues/1", {"title": "x"}),
        ("POST", "/issues/1/comments", {"body": "x"}),
        ("PATCH", "", {"description": "x"}),
    ):
        answer = _ask(village, "admin", method, REPO + path, body)
        assert (answer.status_code, answer.json()["message"]) == (403, "Repository was archived so is read-only.")
    assert _ask(village, "nobody", "POST", f"{REPO}/issues", {"title": "x"}).status_code == 401
    git("clone", "-q", village.remote("admin"), "clone", cwd=tmp_path)
    with pytest.raises(AssertionError, match="403"):
        git("push", "-q", "origin", "HEAD:x", cwd=tmp_path / "clone")
    assert _ask(village, "admin", "PATCH", REPO, {"archived": False}).json()["archived"] is False
    assert _ask(village, "read", "POST", f"{REPO}/issues", {"title": "x"}).status_code == 201


def test_a_deleted_repository_is_gone(village: Village, git: Git, tmp_path: Path, source: Path) -> None:
    number, store = _repository_id(village), village.server.store
    store.rename(NAME, "shuttle")
    assert _ask(village, "write", "DELETE", "/repos/acme/shuttle").status_code == 403
    assert _ask(village, "admin", "DELETE", "/repos/acme/shuttle").status_code == 204
    for path in (REPO, "/repos/acme/shuttle/issues", f"/repositories/{number}", f"/repositories/{number}/issues/1"):
        assert _ask(village, "admin", "GET", path).status_code == 404
    assert _ask(village, "admin", "POST", f"/repositories/{number}/issues", {"title": "x"}).status_code == 404
    with pytest.raises(AssertionError, match="not found"):
        git("clone", "-q", village.server.remote("acme/shuttle", village.tokens["admin"]), cwd=tmp_path)
    assert requests.get(village.server.url, timeout=30).text.count("shuttle") == 0
    store.import_repository(source, "acme/shuttle")
    assert _ask(village, "stranger", "GET", "/repos/acme/shuttle").json()["id"] != number


def test_repositories_are_moved_over_the_api_by_their_admins(village: Village, source: Path) -> None:
    store = village.server.store
    store.import_repository(source, "nasa/capsule")
    told = {"name": "shuttle", "description": "Comes back", "private": True}
    edited = _ask(village, "admin", "PATCH", REPO, told).json()
    assert (edited["full_name"], edited["description"], edited["private"]) == ("acme/shuttle", "Comes back", True)
    for body in ({"new_owner": "nobody-here"}, {"new_owner": "nasa", "new_name": "capsule"}, {}):
        assert (
            _ask(village, "admin", "POST", "/repos/acme/shuttle/transfer", body or {"new_owner": ""}).status_code == 422
        )
    moved = _ask(village, "admin", "POST", "/repos/acme/shuttle/transfer", {"new_owner": "nasa"})
    assert (moved.status_code, moved.json()["full_name"]) == (202, "nasa/shuttle")
    assert _ask(village, "admin", "GET", REPO).status_code == 301, "its collaborators stay"
    assert _ask(village, "admin", "PATCH", "/repos/nasa/shuttle", {"name": "capsule"}).status_code == 422
    assert _ask(village, "admin", "PATCH", "/repos/nasa/shuttle", {"default_branch": "none"}).status_code == 422


def test_a_transferred_repository_leaves_its_installation(village: Village) -> None:
    store = village.server.store
    app = store.add_app("Mover", owner="acme")
    store.install_app(app.id, "acme", None, {"issues": "write"})
    with village.client("read") as client, pytest.raises(GithubException):
        client.get_repo("nasa/rocket")
    with store.read() as db:
        before = db.execute("SELECT count(*) FROM repositories JOIN installations ON account_id = owner_id").fetchone()
    store.transfer(NAME, "nasa")
    with store.read() as db:
        after = db.execute("SELECT count(*) FROM repositories JOIN installations ON account_id = owner_id").fetchone()
    assert (before[0], after[0]) == (1, 0)
