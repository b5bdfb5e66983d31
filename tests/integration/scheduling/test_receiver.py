"""What the receiver of webhooks says to whom, and what it has looked at."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from entropy.errors import SecretNotFound
from entropy.scheduling.receiver import HEALTH, LIMIT, PATH, make_app
from entropy.scheduling.room import ROOM
from entropy.settings import RedisSettings, SecretSettings, Settings
from entropy.wiring import Toolbox
from tests.integration.scheduling.receiving import DEADLINE, REPOSITORY, Receiving, receiving, signature
from tests.redis_server import running_redis

HOME = {"full_name": REPOSITORY}
LABELLED = {"action": "labeled", "issue": {"number": 7}, "repository": HOME}


@pytest.fixture
def receiver(tmp_path: Path, redis_url: str) -> Iterator[Receiving]:
    with receiving(tmp_path, redis_url) as receiver:
        yield receiver


def test_a_signed_delivery_has_its_item_looked_at(receiver: Receiving) -> None:
    assert receiver.send(LABELLED) == (202, "Taken in.\n")
    assert receiver.hinted() == [f"{REPOSITORY}#7"]
    assert receiver.called == [1]


@pytest.mark.parametrize(
    ("event", "payload", "items"),
    [
        ("issue_comment", {"issue": {"number": 3}}, [3]),
        ("pull_request_review", {"pull_request": {"number": 4}}, [4]),
        ("check_run", {"check_run": {"pull_requests": [{"number": 5}, {"number": 6}]}}, [5, 6]),
        ("check_suite", {"check_suite": {"pull_requests": [{"number": 5}]}}, [5]),
        ("star", {"issue": {"number": 3}}, []),
        ("push", {"ref": "refs/heads/x"}, []),
    ],
)
def test_an_event_hints_at_the_items_that_it_names(
    receiver: Receiving, event: str, payload: dict[str, Any], items: list[int]
) -> None:
    assert receiver.send({**payload, "repository": HOME}, event)[0] == 202
    assert receiver.hinted() == [f"{REPOSITORY}#{number}" for number in items]


def test_an_event_without_a_number_has_its_repository_looked_at_now(receiver: Receiving) -> None:
    receiver.tools.rounds.plan({REPOSITORY: 3600})
    assert receiver.tools.rounds.due() == []
    receiver.send({"ref": "refs/heads/x", "repository": HOME}, "push")
    assert [due.repository for due in receiver.tools.rounds.due()] == [REPOSITORY]


def test_a_delivery_counts_once_and_a_redelivery_is_thanked_for(receiver: Receiving) -> None:
    assert receiver.send(LABELLED, x_github_delivery="72d3162e")[0] == 202
    assert receiver.hinted() == [f"{REPOSITORY}#7"]
    assert receiver.send(LABELLED, x_github_delivery="72d3162e") == (200, "This delivery was taken in before.\n")
    assert receiver.hinted() == []


def test_nobody_is_called_twice_before_somebody_looked(receiver: Receiving) -> None:
    for _ in range(3):
        receiver.send(LABELLED)
    assert receiver.called == [1]
    receiver.tools.looks.begin()
    receiver.send(LABELLED)
    assert receiver.called == [1, 1]


def test_a_hint_while_an_item_is_looked_at_has_it_looked_at_again(receiver: Receiving) -> None:
    receiver.send(LABELLED)
    due = receiver.tools.looks.take()
    assert due is not None
    receiver.send(LABELLED)
    assert receiver.tools.looks.take() is None  # one worker at a time
    receiver.tools.looks.done(due)
    assert receiver.hinted() == [f"{REPOSITORY}#7"]


def test_the_repositories_of_others_are_not_looked_at(receiver: Receiving) -> None:
    assert receiver.send({**LABELLED, "repository": {"full_name": "evil/widgets"}}) == (202, "Nothing to look at.\n")
    assert receiver.hinted() == []


def test_an_installation_that_changes_has_the_repositories_listed_anew(receiver: Receiving) -> None:
    assert receiver.tools.rounds.turn("roster", 3600)
    receiver.send({"action": "added"}, "installation_repositories")
    assert receiver.tools.rounds.turn("roster", 3600)
    assert receiver.called == [1]


def test_only_an_app_tells_of_every_repository(receiver: Receiving) -> None:
    receiver.send(LABELLED, x_github_hook_installation_target_type="repository")
    assert not receiver.tools.rounds.told_by_app
    receiver.send(LABELLED, x_github_hook_installation_target_type="integration")
    assert receiver.tools.rounds.told_by_app


def test_githubs_own_example_of_a_signature(receiver: Receiving) -> None:
    told = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature(b"Hello, World!") == told
    assert receiver.send(None, body=b"Hello, World!", x_hub_signature_256=told)[0] == 400  # signed, but no JSON


DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000


@pytest.mark.parametrize(
    ("wrong", "status", "word"),
    [
        ({"x_hub_signature_256": signature(b"another body")}, 401, "compare the secrets"),
        ({"x_hub_signature_256": signature(json.dumps(LABELLED).encode(), "another")}, 401, "compare the secrets"),
        ({"x_hub_signature_256": "sha256=ünïcode"}, 401, "compare the secrets"),
        ({"x_hub_signature_256": None}, 401, "give the webhook a secret"),
        ({"content_type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        ({"content_type": None}, 415, "application/json"),
        ({"x_github_event": None}, 400, "X-GitHub-Event"),
        ({"x_github_event": "../../etc"}, 400, "X-GitHub-Event"),
        ({"x_github_delivery": None}, 400, "X-GitHub-Delivery"),
        ({"x_github_delivery": "a b"}, 400, "X-GitHub-Delivery"),
        ({"body": b""}, 400, "not JSON"),
        ({"body": b"\xff\xfe"}, 400, "not JSON"),
        ({"body": b"[1, 2]"}, 400, "not an object"),
        ({"body": DEEP}, 400, "RecursionError"),
        ({"body": b"1" * 20_000}, 400, "not JSON"),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value),
)
def test_what_is_wrong_is_said_in_one_sentence_and_logged_in_one_line(
    receiver: Receiving, wrong: dict[str, Any], status: int, word: str
) -> None:
    answer, said = receiver.send(LABELLED, **wrong)
    assert (answer, said.count("\n")) == (status, 1)
    assert word in said
    assert receiver.hinted() == []
    (line,) = receiver.lines
    assert (line.levelname, line.__dict__["status"]) == ("WARNING", status)
    assert receiver.send(LABELLED)[0] == 202  # it goes on


def test_a_giant_body_is_refused_before_it_is_read(receiver: Receiving) -> None:
    assert receiver.post(b"{", {**_headers(b"{"), "content-length": str(LIMIT + 1)})[0] == 413
    assert receiver.lines[-1].__dict__["status"] == 413


def test_a_giant_body_that_says_nothing_of_its_size_is_given_up(receiver: Receiving) -> None:
    body = b"x" * (LIMIT + 1)
    chunked = (body[start : start + 2**20] for start in range(0, len(body), 2**20))
    assert receiver.post(chunked, {**_headers(body), "transfer-encoding": "chunked"})[0] == 413


def test_many_giant_bodies_at_once_neither_fill_the_memory_nor_keep_others_out(receiver: Receiving) -> None:
    place = urlsplit(receiver.url)
    head = "".join(f"{name}: {value}\r\n" for name, value in _headers(b"").items())
    raw = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {LIMIT}\r\n{head}\r\n".encode()
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        for _ in range(ROOM // LIMIT + 2):
            sender = stack.enter_context(socket.create_connection((place.hostname, place.port), DEADLINE))
            pool.submit(sender.sendall, raw + b"x" * (LIMIT - 1))  # the last byte never comes
        _until(lambda: 503 in [line.__dict__["status"] for line in receiver.lines])
        assert receiver.send(LABELLED)[0] == 202
    body = b"x" * LIMIT
    _until(lambda: receiver.post(body, _headers(body))[0] == 400)  # there is room again


def test_a_payload_of_strange_things_hints_at_nothing(receiver: Receiving) -> None:
    strange: list[dict[str, Any]] = [
        {"issue": 7, "repository": HOME},
        {"issue": {"number": "7"}, "repository": HOME},
        {"issue": {"number": True}, "repository": HOME},
        {"issue": {"number": -1}, "repository": HOME},
        {"issue": {"number": 10**30}, "repository": HOME},
        {"check_run": {"pull_requests": {"number": 7}}, "repository": HOME},
        {"issue": {"number": 7}, "repository": {"full_name": f"{REPOSITORY}#1\nx"}},
        {"issue": {"number": 7}, "repository": [HOME]},
        {"issue": {"number": 7}},
    ]
    assert {receiver.send(payload)[0] for payload in strange} == {202}
    assert receiver.hinted() == []


def test_while_redis_is_away_the_forge_is_asked_to_come_again(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    with running_redis(tmp_path / "redis") as url, receiving(tmp_path, url) as receiver:
        receiver.tools.connection.redis.shutdown(nosave=True)
        answer = receiver.send(LABELLED, x_github_delivery="lost")
    assert answer == (503, "Redis is away; send this delivery again later.\n")


def test_an_outage_of_redis_is_no_reason_to_end_the_receiver(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    with running_redis(tmp_path / "redis") as url, receiving(tmp_path, url) as receiver:
        receiver.tools.connection.redis.shutdown(nosave=True)
        with urlopen(receiver.url + HEALTH, timeout=DEADLINE) as answer:
            assert (answer.status, answer.read()) == (200, b"ok\n")


def test_without_a_secret_nothing_is_received(tmp_path: Path, redis_url: str) -> None:
    tools = Toolbox(Settings(redis=RedisSettings(url=redis_url), secrets=SecretSettings(directory=tmp_path)))
    with pytest.raises(SecretNotFound, match="webhook_secret"):
        make_app(tools, lambda: None)
    tools.connection.close()


def _until(come: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not come():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _headers(body: bytes) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-github-event": "issues",
        "x-github-delivery": "giant",
        "x-hub-signature-256": signature(body),
    }
