"""Whatever comes in, the answer is one of GitHub's, never a crash."""

import json
import random
import re
from typing import Any

import pytest
import requests

from entropy.forge.app import TABLES
from entropy.forge.bodies import MAX_BODY
from tests.integration.forge.conftest import NAME, Village

REPO = f"/repos/{NAME}"
STRANGE: list[Any] = [
    None, True, 0, -1, 2**70, 1.5, "", " ", "\0", "é", "x" * 70000, "../../etc/passwd", "-rf", "@", "HEAD~1", "a:b",
    [], [None], [[]], [{}], {}, {"name": 1}, {"": {"": []}},
]  # fmt: skip


def _send(village: Village, method: str, path: str, raw: bytes | str) -> requests.Response:
    headers = {"Authorization": f"Bearer {village.tokens['admin']}"}
    return requests.request(method, village.server.api + path, data=raw, headers=headers, timeout=60)


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b'{"a": NaN}', b'{"title": "\\ud800"}', b"[" * 100000])
def test_what_is_not_json_is_400(village: Village, raw: bytes) -> None:
    answer = _send(village, "POST", f"{REPO}/issues", raw)
    assert (answer.status_code, answer.json()["message"]) == (400, "Problems parsing JSON")


def test_a_huge_body_is_refused(village: Village) -> None:
    answer = _send(village, "POST", f"{REPO}/issues", json.dumps({"title": "x", "body": "y" * MAX_BODY}))
    assert answer.status_code == 413


def test_a_missing_field_is_named(village: Village) -> None:
    answer = _send(village, "POST", f"{REPO}/issues", "{}")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"resource": "Issue", "field": "title", "code": "missing_field"}]


@pytest.mark.parametrize(
    "path", ["/nothing", "/repos/a", "/repos/acme/gone/issues", f"{REPO}/issues/99", f"{REPO}/pulls/x"]
)
def test_what_is_not_here_is_404_in_json(village: Village, path: str) -> None:
    answer = _send(village, "GET", path, b"")
    assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")


def test_no_body_makes_the_forge_stumble(village: Village) -> None:
    """Every endpoint that writes gets every strange value, as its body and in each field that somebody reads."""
    fields = ("title", "body", "labels", "assignees", "state", "head", "base", "sha", "ref", "name", "color", "event",
              "comments", "commit_id", "context", "head_sha", "conclusion", "output", "merge_method", "draft", "path",
              "line", "message", "started_at", "force", "description", "commit_title", "in_reply_to")  # fmt: skip
    chance = random.Random(20261122)
    assert _send(village, "POST", f"{REPO}/issues", b'{"title": "One"}').status_code == 201
    stumbled = []
    writes = [entry for table in TABLES for entry in table if entry.method != "GET"]
    for entry in writes:
        path = _filled(entry.path, chance)
        bodies = [*STRANGE, *({name: chance.choice(STRANGE) for name in fields} for _ in range(12))]
        for body in bodies:
            answer = _send(village, entry.method, path, json.dumps(body))
            if answer.status_code >= 500:
                stumbled.append((entry.method, path, body, answer.status_code))
    assert stumbled == []


def test_no_address_makes_the_forge_stumble(village: Village) -> None:
    parts = [
        "%00",
        "%ff",
        "-x",
        "..",
        "%2e%2e%2f",
        "a%0ab",
        "1" * 40,
        "9" * 30,
        "refs%2Fheads%2Fmain",
        "main...",
        "@%7B1%7D",
        ":x",
    ]
    queries = [
        "",
        "?page=x&per_page=-1",
        "?page=99999999999",
        "?since=%00",
        "?ref=%00&sha=%ff&path=..",
        "?labels=,,%00&q=%22",
    ]
    chance = random.Random(7)
    stumbled = []
    for entry in (entry for table in TABLES for entry in table if entry.method == "GET"):
        for query in queries:
            path = _filled(entry.path, chance, parts) + query
            answer = _send(village, "GET", path, b"")
            if answer.status_code >= 500:
                stumbled.append((path, answer.status_code))
    assert stumbled == []


def _filled(path: str, chance: random.Random, parts: list[str] | None = None) -> str:
    known = {"owner": "acme", "repo": "rocket"} | ({} if parts else {"number": "1", "ref": "heads/main"})
    return re.sub(
        r"\{(\w+)(?::path)?\}", lambda found: known.get(found[1]) or (chance.choice(parts) if parts else "1"), path
    )


@pytest.mark.parametrize("query", ["state=done", "since=yesterday", "direction=up", "sort=size"])
def test_an_unknown_filter_is_422(village: Village, query: str) -> None:
    assert _send(village, "GET", f"{REPO}/issues?{query}", b"").status_code == 422
