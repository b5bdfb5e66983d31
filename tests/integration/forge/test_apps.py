"""Apps by their signed tokens, and installations by what theirs allow: each door opens for its permission only."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from github import Auth, Github, GithubIntegration

from entropy.forge.apps import App
from entropy.forge.store import StoreError
from tests.contract.contract import Exchange, github
from tests.contract.deviations import Deviation
from tests.contract.validator import unexcused
from tests.integration.forge.conftest import NAME, Git, Village

ALL = {"contents": "write", "issues": "write", "pull_requests": "write", "checks": "write", "statuses": "write"}
SECRET = "acme/secret"
REPO = f"/repos/{SECRET}"
DEVIATIONS = (
    Deviation(
        operation="apps/list-installations",
        part="response 200",
        message="0.account: ",
        reason="Here, and nowhere else, the description wants an account that is a user and an enterprise at once.",
    ),
)


@dataclass(frozen=True)
class Agency:
    """An app that is installed on acme, where a second repository is private."""

    village: Village
    app: App
    installation: int

    def jwt(self, **claims: Any) -> str:
        moment = int(time.time())
        told = {"iat": moment - 5, "exp": moment + 60, "iss": str(self.app.id), **claims}
        return jwt.encode(
            {name: value for name, value in told.items() if value is not None}, self.app.private_key_pem, "RS256"
        )

    def ask(self, token: str, method: str, path: str, body: object = None) -> requests.Response:
        api = self.village.server.api
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, api + path, json=body, headers=headers, timeout=30)
        url, _, query = path.partition("?")
        exchange = Exchange(
            method=method,
            path=url,
            query=query,
            sent=answer.request.body or b"",  # type: ignore[arg-type]
            status=answer.status_code,
            content_type=answer.headers.get("Content-Type", ""),
            received=answer.content,
        )
        if answer.status_code < 400:
            assert unexcused(github().violations(exchange), DEVIATIONS) == []
        return answer

    def token(self, **wanted: object) -> str:
        answer = self.ask(self.jwt(), "POST", f"/app/installations/{self.installation}/access_tokens", wanted or None)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def id_of(self, name: str) -> int:
        return int(self.ask(self.village.tokens["owner"], "GET", f"/repos/{name}").json()["id"])


@pytest.fixture
def agency(village: Village, source: Path) -> Agency:
    store = village.server.store
    store.import_repository(source, SECRET, private=True)
    village.tokens["owner"] = store.enrol("owner", name=None, full_name=SECRET, permission="admin")
    app = store.add_app("Entropy Coder", owner="acme")
    return Agency(village, app, store.install_app(app.id, "acme", None, ALL))


def test_an_app_knows_itself_and_where_it_is_installed(agency: Agency) -> None:
    me = agency.ask(agency.jwt(), "GET", "/app").json()
    assert (me["slug"], me["owner"]["login"], me["permissions"]["checks"]) == ("entropy-coder", "acme", "write")
    listed = agency.ask(agency.jwt(), "GET", "/app/installations").json()
    assert [found["id"] for found in listed] == [agency.installation]
    for path in (f"/app/installations/{agency.installation}", f"{REPO}/installation", "/orgs/acme/installation"):
        assert agency.ask(agency.jwt(), "GET", path).json()["id"] == agency.installation
    assert agency.ask(agency.jwt(iss=me["client_id"]), "GET", "/app").json()["id"] == agency.app.id
    assert agency.ask(agency.village.tokens["read"], "GET", "/apps/entropy-coder").json()["id"] == agency.app.id
    assert agency.ask(agency.jwt(), "GET", "/orgs/read/installation").status_code == 404


@pytest.mark.parametrize(
    ("claims", "status", "message"),
    [
        ({"exp": int(time.time()) + 3600}, 401, "'Expiration time' claim ('exp') is too far in the future"),
        ({"exp": int(time.time()) - 60}, 401, "'Expiration time' claim ('exp') must be"),
        ({"exp": None}, 401, "'Expiration time' claim ('exp') must be"),
        ({"exp": "soon"}, 401, "'Expiration time' claim ('exp') must be"),
        ({"iat": int(time.time()) + 3600, "exp": int(time.time()) + 300}, 401, "'Issued at' claim ('iat') must be"),
        ({"iss": "999"}, 404, "Integration not found"),
        ({"iss": None}, 404, "Integration not found"),
        ({"iss": "x" * 20}, 404, "Integration not found"),
    ],
)
def test_each_claim_is_checked(agency: Agency, claims: dict[str, Any], status: int, message: str) -> None:
    answer = agency.ask(agency.jwt(**claims), "GET", "/app")
    assert answer.status_code == status
    assert answer.json()["message"].startswith(message)


def test_only_the_apps_own_key_signs_for_it(agency: Agency) -> None:
    other = agency.village.server.store.add_app("Other")
    moment = int(time.time())
    forged = jwt.encode({"iat": moment, "exp": moment + 60, "iss": str(agency.app.id)}, other.private_key_pem, "RS256")
    unsigned = jwt.encode({"iat": moment, "exp": moment + 60, "iss": str(agency.app.id)}, "", "none")
    header, payload, _ = agency.jwt().split(".")
    cut = base64.urlsafe_b64encode(b"not it").decode()
    for token in (forged, unsigned, f"{header}.{payload}.{cut}", "a.b.c", f"{header}..", "..", agency.token()):
        answer = agency.ask(token, "GET", "/app")
        assert (answer.status_code, answer.json()["message"]) == (401, "A JSON web token could not be decoded")
    assert agency.ask(agency.jwt(), "GET", REPO).status_code == 401, "an app is nobody in a repository"
    foreign = GithubIntegration(auth=Auth.AppAuth(other.id, other.private_key_pem), base_url=agency.village.server.api)
    with foreign, pytest.raises(Exception, match="404"):
        foreign.get_access_token(agency.installation)


def test_pygithub_works_as_an_app_and_as_its_installation(agency: Agency) -> None:
    auth = Auth.AppAuth(agency.app.id, agency.app.private_key_pem)
    api = agency.village.server.api
    with GithubIntegration(auth=auth, base_url=api) as integration:
        assert integration.get_app().slug == "entropy-coder"
        assert [found.id for found in integration.get_installations()] == [agency.installation]
        assert integration.get_repo_installation("acme", "secret").id == agency.installation
    reduced = auth.get_installation_auth(agency.installation, {"issues": "write"})
    with Github(base_url=api, auth=reduced, retry=None) as client:
        issue = client.get_repo(SECRET).create_issue("From an app")
        assert (issue.user.login, issue.user.type) == ("entropy-coder[bot]", "Bot")
        assert issue.create_comment("Hello").user.login == "entropy-coder[bot]"
        with pytest.raises(Exception, match="Resource not accessible by integration"):
            client.get_repo(SECRET).get_branch("main")


def test_a_token_tells_what_it_is_for_and_ends(agency: Agency) -> None:
    path = f"/app/installations/{agency.installation}/access_tokens"
    wanted = {"permissions": {"issues": "read"}, "repository_ids": [agency.id_of(SECRET)]}
    told = agency.ask(agency.jwt(), "POST", path, wanted).json()
    assert told["permissions"] == {"issues": "read", "metadata": "read"}
    assert ([each["full_name"] for each in told["repositories"]], told["repository_selection"]) == (
        [SECRET],
        "selected",
    )
    token = told["token"]
    listed = agency.ask(token, "GET", "/installation/repositories").json()
    assert (listed["total_count"], [each["full_name"] for each in listed["repositories"]]) == (1, [SECRET])
    assert agency.ask(token, "DELETE", "/installation/token").status_code == 204
    gone = agency.ask(token, "GET", REPO)
    assert (gone.status_code, gone.json()["message"]) == (401, "Bad credentials")
    agency.village.server.store.token_seconds = -1
    assert agency.ask(agency.token(), "GET", REPO).status_code == 401, "an expired token"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"permissions": {"administration": "read"}}, "The permissions requested are not granted"),
        ({"permissions": {"issues": "admin"}}, "The permissions requested are not granted"),
        ({"permissions": {"issues": "everything"}}, "Validation Failed"),
        ({"permissions": ["issues"]}, "Validation Failed"),
        ({"repository_ids": [999]}, "There is at least one repository"),
        ({"repositories": ["nowhere"]}, "There is at least one repository"),
        ({"repository_ids": ["1"]}, "Validation Failed"),
    ],
)
def test_nothing_beyond_the_installation_is_given(agency: Agency, wanted: dict[str, Any], message: str) -> None:
    path = f"/app/installations/{agency.installation}/access_tokens"
    answer = agency.ask(agency.jwt(), "POST", path, wanted)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(message)


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


def test_a_suspended_or_removed_installation_is_shut_out(agency: Agency) -> None:
    token, path = agency.token(), f"/app/installations/{agency.installation}"
    assert agency.ask(agency.jwt(), "PUT", f"{path}/suspended").status_code == 204
    assert agency.ask(token, "GET", REPO).status_code == 403
    assert agency.ask(agency.jwt(), "POST", f"{path}/access_tokens").status_code == 403
    assert agency.ask(agency.jwt(), "DELETE", f"{path}/suspended").status_code == 204
    assert agency.ask(token, "GET", REPO).status_code == 200
    assert agency.ask(agency.jwt(), "DELETE", path).status_code == 204
    assert agency.ask(token, "GET", REPO).status_code == 401
    assert agency.ask(agency.jwt(), "GET", path).status_code == 404


def test_doors_for_people_stay_shut_to_apps_and_the_other_way(agency: Agency) -> None:
    assert agency.ask(agency.token(), "GET", "/user").status_code == 403
    person = agency.village.tokens["admin"]
    assert agency.ask(person, "GET", "/app").status_code == 401
    assert agency.ask(person, "GET", "/installation/repositories").status_code == 403
    assert agency.ask(agency.jwt(), "GET", "/installation/repositories").status_code == 403


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
