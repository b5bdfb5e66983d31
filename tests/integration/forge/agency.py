"""An app that is installed for the owner of a public and a private repository, every exchange with it judged."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import requests

from entropy.forge.apps import App
from tests.contract.contract import Exchange, github
from tests.contract.deviations import Deviation
from tests.contract.validator import unexcused
from tests.integration.forge.conftest import Village

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


def founded(village: Village, source: Path) -> Agency:
    store = village.server.store
    store.import_repository(source, SECRET, private=True)
    village.tokens["owner"] = store.enrol("owner", name=None, full_name=SECRET, permission="admin")
    app = store.add_app("Entropy Coder", owner="acme")
    return Agency(village, app, store.install_app(app.id, "acme", None, ALL))
