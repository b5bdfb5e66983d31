"""Webhooks of the App that did not arrive."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from github.Auth import AppAuth

from entropy.scheduling.receiver import PATH
from entropy.scheduling.redelivery import TRIES, TURN, redeliver
from tests.integration.scheduling.country import CODE, Country, open_country
from tests.integration.scheduling.receiving import DEADLINE, SECRET, Receiving, receiving

APP: dict[str, object] = {"apps": {"*": 1}}
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def country(tmp_path: Path, redis_url: str) -> Iterator[Country]:
    with open_country(tmp_path, redis_url, 1, github=APP) as country:
        country.tools.rounds.serve(country.repositories)
        yield country


@pytest.fixture
def receiver(tmp_path: Path, redis_url: str) -> Iterator[Receiving]:
    (tmp_path / "receiver").mkdir()
    with receiving(tmp_path / "receiver", redis_url) as receiver:
        yield receiver


def test_what_did_not_arrive_is_sent_again_and_looked_at(country: Country, receiver: Receiving) -> None:
    (home,) = country.repositories
    _hook(country, NOWHERE)
    number = country.issue(home, CODE)
    failed = _failed(country, at_least=2)  # opened, labelled
    receiver.tools.rounds.serve([home])
    _hook(country, receiver.url + PATH)
    redeliver(country.tools)
    _until(lambda: len(receiver.lines) == len(failed))
    assert {line.__dict__["status"] for line in receiver.lines} == {202}
    assert receiver.hinted() == [f"{home}#{number}"]
    # What has arrived by now is not asked for once more, though the forge still lists how it failed.
    country.tools.rounds.again(TURN)
    redeliver(country.tools)
    assert not set(_failed(country)) - set(failed)
    assert len(receiver.lines) == len(failed)


def test_what_never_arrives_is_given_up(country: Country) -> None:
    _hook(country, NOWHERE)
    country.issue(country.repositories[0])
    once = len(_failed(country, at_least=1))  # opened
    for tries in range(2, TRIES + 3):
        country.tools.rounds.again(TURN)
        redeliver(country.tools)
        _failed(country, at_least=min(tries, TRIES) * once)
    assert len(_failed(country)) == TRIES * once


def _hook(country: Country, url: str) -> None:
    """Have the forge tell the App at this address from now on."""
    config = {"url": url, "secret": SECRET, "content_type": "json"}
    _as_app(country, "PATCH", "/app/hook/config", config)


def _failed(country: Country, *, at_least: int = 0) -> list[int]:
    found: list[int] = []

    def enough() -> bool:
        found[:] = [row["id"] for row in _as_app(country, "GET", "/app/hook/deliveries?status=failure")]
        return len(found) >= at_least

    _until(enough)
    return found


def _as_app(country: Country, verb: str, path: str, body: Any = None) -> Any:
    key = (country.forge.data.parent / "secrets" / "scheduler_github_app_key").read_text()
    headers = {"Authorization": f"Bearer {AppAuth(1, key).create_jwt()}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{country.forge.api}{path}", data, headers, method=verb)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def _until(true: Any) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
