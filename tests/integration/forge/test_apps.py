"""Apps prove themselves by what they sign, and their installations get tokens for no more than they were given."""

import base64
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from github import Auth, Github, GithubIntegration

from tests.integration.forge.agency import REPO, SECRET, Agency, founded
from tests.integration.forge.conftest import Village


@pytest.fixture
def agency(village: Village, source: Path) -> Agency:
    return founded(village, source)


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
        ({"repository_ids": [2**70]}, "Validation Failed"),
        ({"repository_ids": [-1]}, "There is at least one repository"),
        ({"repositories": ["../etc"]}, "There is at least one repository"),
    ],
)
def test_nothing_beyond_the_installation_is_given(agency: Agency, wanted: dict[str, Any], message: str) -> None:
    path = f"/app/installations/{agency.installation}/access_tokens"
    answer = agency.ask(agency.jwt(), "POST", path, wanted)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(message)


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
