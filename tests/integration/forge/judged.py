"""The forge with every exchange judged by GitHub's own description, and requests without a client library's shapes."""

import re
from dataclasses import dataclass
from typing import Any

import requests

from tests.contract.validator import Validating, unexcused
from tests.forge_server import ForgeServer

NAME = "acme/rocket"
HOME = f"/repos/{NAME}"


@dataclass(frozen=True)
class Judged:
    """The server, a token for a person of each permission, and the judge."""

    server: ForgeServer
    tokens: dict[str, str]
    judge: Validating

    def ask(self, login: str, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """The JSON of an answer; `status` is the one that is expected, by default any of success."""
        answer = self.answer(login, method, path, body)
        assert answer.status_code == status if status else answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def answer(self, login: str, method: str, path: str, body: Any = None) -> requests.Response:
        token = self.tokens.get(login)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, self.server.api + path, json=body, headers=headers, timeout=30)

    def query(self, login: str, document: str, **variables: Any) -> Any:
        """What a GraphQL document gives; errors included."""
        headers = {"Authorization": f"Bearer {self.tokens[login]}"}
        body = {"query": document, "variables": variables}
        answer = requests.post(f"{self.server.url}/api/graphql", json=body, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wrong(self) -> list[str]:
        """What breaks the contract; which refusals an operation may give, the description says only now and then."""
        told = unexcused(self.judge.violations())
        return [
            line for line in told if not re.search(r"response 4\d\d: (the description does not know|has a body)", line)
        ]
