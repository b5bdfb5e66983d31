"""Webhooks of an App: of every repository where it is installed, and of its installations."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from entropy.forge.apps import App
from tests.contract.contract import webhooks
from tests.integration.forge.judged import HOME, NAME, Judged
from tests.integration.forge.listener import SECRET, Listener, listening, until

PERMISSIONS = {"issues": "write", "checks": "write", "metadata": "read"}


@dataclass(frozen=True)
class Owner:
    """Whoever holds an App's key."""

    judged: Judged
    app: App

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        moment = int(time.time())
        claims = {"iat": moment - 5, "exp": moment + 60, "iss": str(self.app.id)}
        token = jwt.encode(claims, self.app.private_key_pem, "RS256")
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, self.judged.server.api + path, json=body, headers=headers, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found
    assert found.unsigned == 0
    assert [error for told in found.heard for error in webhooks().errors(told.event, told.payload)] == []


@pytest.fixture
def owner(judged: Judged, listener: Listener) -> Owner:
    """Of an App whose hook is set."""
    made = Owner(judged, judged.server.store.add_app("Entropy", owner="acme"))
    assert made.ask("GET", "/app/hook/config") == {}
    config = {"url": listener.url, "content_type": "json", "secret": SECRET}
    assert made.ask("PATCH", "/app/hook/config", config)["secret"] == "********"
    return made


def install(owner: Owner, *repositories: str) -> int:
    chosen = list(repositories) or None
    return owner.judged.server.store.install_app(owner.app.id, "acme", chosen, PERMISSIONS)


def test_an_app_hears_of_the_repositories_where_it_is_installed(
    owner: Owner, judged: Judged, listener: Listener, source: Path
) -> None:
    judged.server.store.import_repository(source, "acme/other")
    installation = install(owner, NAME)
    judged.ask("read", "POST", "/repos/acme/other/issues", {"title": "Not for the App"})
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug"})
    (told,) = listener.wait("issues.opened")
    assert (told.payload["issue"]["title"], told.payload["installation"]["id"]) == ("A bug", installation)
    assert told.headers["x-github-hook-installation-target-type"] == "integration"
    assert told.headers["x-github-hook-installation-target-id"] == str(owner.app.id)
    assert len(listener.of("issues.opened")) == 1


def test_an_app_hears_where_it_is_installed(owner: Owner, judged: Judged, listener: Listener, source: Path) -> None:
    judged.server.store.import_repository(source, "acme/other")
    installation = install(owner, NAME)
    install(owner)
    install(owner, "acme/other")
    path = f"/app/installations/{installation}"
    owner.ask("PUT", f"{path}/suspended")
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "While suspended"})
    owner.ask("DELETE", f"{path}/suspended")
    owner.ask("DELETE", path)
    created, added, removed, *_, deleted = listener.wait(
        "installation.created",
        "installation_repositories.added",
        "installation_repositories.removed",
        "installation.suspend",
        "installation.unsuspend",
        "installation.deleted",
    )
    assert [row["full_name"] for row in created.payload["repositories"]] == [NAME]
    assert [row["full_name"] for row in added.payload["repositories_added"]] == ["acme/other"]
    assert [row["full_name"] for row in removed.payload["repositories_removed"]] == [NAME]
    assert deleted.payload["installation"]["id"] == installation
    assert not listener.of("issues.opened")


def test_an_app_finds_what_it_missed_and_has_it_told_again(owner: Owner, judged: Judged, listener: Listener) -> None:
    install(owner, NAME)
    listener.wait("installation.created")
    listener.status = 503
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug"})
    (missed,) = listener.wait("issues.opened")
    listener.status = 200
    failed = "/app/hook/deliveries?status=failure"
    until(lambda: owner.ask("GET", failed))
    (row,) = owner.ask("GET", failed)
    assert (row["guid"], row["event"], row["action"]) == (missed.guid, "issues", "opened")
    owner.ask("POST", f"/app/hook/deliveries/{row['id']}/attempts")
    assert [told.guid for told in listener.wait_count("issues.opened", 2)] == [missed.guid] * 2
    until(lambda: len(owner.ask("GET", "/app/hook/deliveries")) == 3)
    again = owner.ask("GET", f"/app/hook/deliveries/{owner.ask('GET', '/app/hook/deliveries')[0]['id']}")
    assert (again["redelivery"], again["status_code"], again["request"]["payload"]) == (True, 200, missed.payload)


def test_a_check_run_of_an_app_is_its_own(owner: Owner, judged: Judged, listener: Listener) -> None:
    installation = install(owner, NAME)
    token = owner.ask("POST", f"/app/installations/{installation}/access_tokens")["token"]
    judged.tokens["app"] = token
    head = judged.ask("app", "GET", f"{HOME}/commits/main")["sha"]
    judged.ask("app", "POST", f"{HOME}/check-runs", {"name": "entropy", "head_sha": head, "conclusion": "success"})
    completed, suite = listener.wait("check_run.completed", "check_suite.completed")
    assert completed.payload["check_run"]["app"]["slug"] == "entropy"
    assert suite.payload["check_suite"]["app"]["id"] == owner.app.id
