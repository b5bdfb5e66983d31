"""The faults of a forge that is told to have them: each does what its name says, as often as it is told."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import pytest

from entropy.forge.faults import Faults
from tests.forge_server import ForgeServer, running_forge

COMMENTS = "/repos/acme/rocket/issues/1/comments"


class Client:
    """Somebody who writes comments, without a client library's patience."""

    def __init__(self, server: ForgeServer, token: str) -> None:
        self.server = server
        self._token = token

    def ask(self, method: str, url: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data, headers, method=method), timeout=10
            ) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers)

    def rules(self, *rules: dict[str, Any]) -> None:
        assert self.ask("POST", f"{self.server.url}/_faults", list(rules))[0] == 200

    def fired(self) -> list[int]:
        return [rule["fired"] for rule in self.ask("GET", f"{self.server.url}/_faults")[1]]

    def comment(self, text: str = "Hello") -> tuple[int, Any]:
        return self.ask("POST", self.server.api + COMMENTS, {"body": text})

    def comments(self) -> list[str]:
        return [row["body"] for row in self.ask("GET", self.server.api + COMMENTS)[1]]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "README.md").write_text("Rocket\n")
    with running_forge(tmp_path, wrap=Faults) as server:
        server.store.import_repository(tree, "acme/rocket")
        client = Client(server, server.store.enrol("ada", name=None, full_name="acme/rocket", permission="admin"))
        assert client.ask("POST", f"{server.api}/repos/acme/rocket/issues", {"title": "One"})[0] == 201
        yield client


def test_without_rules_nothing_goes_wrong(client: Client) -> None:
    assert client.comment()[0] == 201
    assert client.fired() == []


@pytest.mark.parametrize(
    ("effect", "status", "applied"),
    [
        ("502_after_applying", 502, True),
        ("502_before", 502, False),
        ("403_secondary", 403, False),
        ("429", 429, False),
        ("307", 307, False),
        ("hang", 201, True),
    ],
)
def test_an_effect_comes_once_and_applies_the_write_or_not(
    client: Client, effect: str, status: int, applied: bool
) -> None:
    client.rules({"effect": effect, "method": "POST", "path": "/comments$", "count": 1, "seconds": 1})
    answered, said = client.comment()
    assert (answered, client.comments()) == (status, ["Hello"] if applied else [])
    if status in {403, 429}:
        assert said["retry-after"] == "1"
    assert client.comment()[0] == 201
    assert client.fired() == [1]


def test_a_dropped_answer_breaks_off_after_the_write(client: Client) -> None:
    client.rules({"effect": "drop_connection", "method": "POST", "count": 1})
    with pytest.raises(IncompleteRead):
        client.comment()
    assert client.comments() == ["Hello"]


def test_a_stale_list_is_from_before_the_last_write(client: Client) -> None:
    client.rules({"effect": "stale_list", "path": "/comments$", "count": 1, "seconds": 30})
    assert client.comments() == []
    assert client.comment()[0] == 201
    assert client.comments() == []
    assert client.fired() == [1]
    assert client.comments() == ["Hello"]


def test_chance_repeats_with_its_seed(client: Client) -> None:
    draws = []
    for _ in range(2):
        client.rules({"effect": "502_before", "path": "/comments$", "probability": 0.5, "seed": 7})
        draws.append([client.ask("GET", client.server.api + COMMENTS)[0] for _ in range(12)])
        client.ask("DELETE", f"{client.server.url}/_faults")
    assert draws[0] == draws[1]
    assert set(draws[0]) == {200, 502}
    assert client.fired() == []


@pytest.mark.parametrize(
    "rule", [{"effect": "earthquake"}, {"effect": "429", "colour": "red"}, {}, "429", {"effect": "429", "path": "("}]
)
def test_what_is_no_rule_is_refused(client: Client, rule: Any) -> None:
    assert client.ask("POST", f"{client.server.url}/_faults", [rule])[0] == 422
    assert client.fired() == []


def test_a_forge_that_was_not_told_to_has_no_such_door(tmp_path: Path) -> None:
    with running_forge(tmp_path) as server:
        assert Client(server, "none").ask("POST", f"{server.url}/_faults", [])[0] in {404, 405}
