"""Every request is counted by whom it is charged to; above GitHub's limits it is refused where that is switched on."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from github import Github, RateLimitExceededException

from entropy.forge.identity import PREFIX
from entropy.forge.permissions import new_token
from entropy.forge.records import apps
from entropy.forge.store import Store
from tests.contract.contract import Exchange, github
from tests.integration.forge.conftest import NAME, Village

REPO = f"/repos/{NAME}"


def _ask(village: Village, who: str, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
    given = {"Authorization": f"Bearer {village.tokens[who]}"} if who in village.tokens else {}
    return requests.request(method, village.server.api + path, json=body, headers=given | headers, timeout=30)


def _left(answer: requests.Response) -> int:
    return int(answer.headers["X-RateLimit-Remaining"])


def _usage(village: Village) -> dict[str, Any]:
    told = requests.get(f"{village.server.url}/_usage", timeout=30).json()
    return {entry["identity"]: entry for entry in told["identities"]}


def _id(village: Village, login: str) -> str:
    return f"user ID {_ask(village, login, 'GET', '/user').json()['id']}"


def test_each_request_takes_one_and_a_304_none(village: Village) -> None:
    first = _ask(village, "read", "GET", f"{REPO}/issues")
    again = _ask(village, "read", "GET", f"{REPO}/issues", **{"If-None-Match": first.headers["ETag"]})
    other = _ask(village, "read", "GET", f"{REPO}/labels")
    same = _ask(village, "read", "GET", f"{REPO}/labels", **{"If-None-Match": other.headers["ETag"]})
    assert [answer.status_code for answer in (first, again, other, same)] == [200, 304, 200, 304]
    assert [_left(answer) for answer in (first, again, other, same)] == [4999, 4999, 4998, 4998]
    assert _left(_ask(village, "read", "POST", f"{REPO}/issues", {})) == 4997, "a refusal costs as well"
    assert _left(_ask(village, "write", "GET", REPO)) == 4999, "everybody has a budget"
    assert _left(_ask(village, "nobody", "GET", REPO)) == 59
    seen = _usage(village)[_id(village, "read")]
    assert seen["core"] == {"requests": 5, "charged": 3, "free": 2, "refused": 0}
    assert first.headers["X-RateLimit-Resource"] == "core"
    assert 3590 < int(first.headers["X-RateLimit-Reset"]) - time.time() <= 3601


def test_searches_have_their_own_budget_and_asking_is_free(village: Village) -> None:
    found = _ask(village, "read", "GET", f"/search/issues?q=repo:{NAME}")
    assert (found.headers["X-RateLimit-Resource"], _left(found)) == ("search", 29)
    told = [_ask(village, "read", "GET", "/rate_limit") for _ in range(2)]
    resources = told[1].json()["resources"]
    assert {name: entry["remaining"] for name, entry in resources.items()} == {
        "core": 5000,
        "search": 29,
        "graphql": 5000,
    }
    exchange = Exchange("GET", "/rate_limit", "", b"", 200, "application/json", told[1].content)
    assert github().violations(exchange) == []


def test_an_installation_is_one_whatever_its_tokens_and_has_more_with_more_repositories(
    village: Village, source: Path
) -> None:
    store = village.server.store
    for number in range(21):
        store.import_repository(source, f"many/r{number}")
    app = store.add_app("Counter")
    made = store.install_app(app.id, "many", None, {"issues": "write"})
    limits, seen = store.limits, []
    for _ in range(2):
        token = _token(store, made)
        answer = requests.get(
            f"{village.server.api}/repos/many/r1", headers={"Authorization": f"token {token}"}, timeout=30
        )
        seen.append((answer.status_code, answer.headers["X-RateLimit-Limit"], _left(answer)))
    assert seen == [(200, "5050", 5049), (200, "5050", 5048)]
    assert [entry["identity"] for entry in limits.usage()] == [f"installation ID {made}"]


def _token(store: Store, installation: int) -> str:
    token, expires = new_token(PREFIX), time.time() + 60
    with store.write() as db:
        granted = {"issues": "write"}
        apps.give_token(db, installation, token, permissions=granted, repositories=None, expires=expires)
    return token


def test_an_empty_budget_refuses_only_where_limits_are_enforced(village: Village) -> None:
    limits, reader = village.server.store.limits, _id(village, "read")
    limits.reset()
    limits.hourly, limits.searches = 3, 1
    free = [_left(_ask(village, "write", "GET", REPO)) for _ in range(5)]
    assert free == [2, 1, 0, 2, 1], "not enforced: an empty budget begins anew"
    limits.reset()
    limits.enforced = True
    answers = [_ask(village, "read", "GET", REPO) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 403, 403]
    refused = answers[3]
    assert refused.json()["message"] == f"API rate limit exceeded for {reader}."
    assert (_left(refused), refused.headers["X-RateLimit-Used"]) == (0, "3")
    assert _ask(village, "read", "GET", "/rate_limit").json()["rate"]["remaining"] == 0
    assert _ask(village, "read", "GET", f"/search/issues?q=repo:{NAME}").status_code == 200, "another budget"
    assert _ask(village, "read", "GET", f"/search/issues?q=repo:{NAME}").status_code == 403
    known = {"If-None-Match": "W/none"}
    assert _ask(village, "read", "GET", REPO, **known).status_code == 403
    with Github(base_url=village.server.api, retry=None, seconds_between_requests=0) as client:
        for _ in range(3):
            client.get_repo(NAME)
        with pytest.raises(RateLimitExceededException):
            client.get_repo(NAME)


def test_graphql_is_charged_by_points_and_says_in_its_own_way_that_none_are_left(village: Village) -> None:
    limits = village.server.store.limits
    limits.enforced, limits.hourly = True, 2
    url = f"{village.server.url}/api/graphql"
    headers = {"Authorization": f"Bearer {village.tokens['read']}"}
    document = {"query": "query Who { viewer { login } }"}
    answers = [requests.post(url, json=document, headers=headers, timeout=30) for _ in range(3)]
    assert [_left(answer) for answer in answers] == [1, 0, 0]
    assert [answer.headers["X-RateLimit-Resource"] for answer in answers] == ["graphql"] * 3
    assert answers[1].json()["data"]["viewer"]["login"] == "read"
    assert (answers[2].status_code, answers[2].json()["errors"][0]["type"]) == (200, "RATE_LIMITED")
    assert _left(_ask(village, "read", "GET", REPO)) == 1, "REST has its own budget"


def test_many_at_once_get_no_more_than_there_is(village: Village) -> None:
    limits = village.server.store.limits
    limits.enforced, limits.hourly, limits.content_per_minute = True, 40, 15

    def ask(number: int) -> tuple[bool, int]:
        write = number % 2 == 0
        method, path = ("POST", f"{REPO}/issues") if write else ("GET", REPO)
        return write, _ask(village, "read", method, path, {"title": "One"} if write else None).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(70)))
    made = sum(1 for write, status in answers if write and status == 201)
    looked = sum(1 for write, status in answers if not write and status == 200)
    refused = _usage(village)[_reader(village)]["content"]["refused"]
    assert made == 15
    assert made + looked + refused == 40, "a refused write is charged as well"


def _reader(village: Village) -> str:
    with village.server.store.read() as db:
        row = db.execute("SELECT id FROM users WHERE login = 'read'").fetchone()
    return f"user ID {row['id']}"


def test_content_is_counted_always_and_refused_above_the_secondary_limits(village: Village) -> None:
    limits = village.server.store.limits
    for _ in range(3):
        assert _ask(village, "read", "POST", f"{REPO}/issues", {"title": "One"}).status_code == 201
    assert _ask(village, "write", "POST", f"{REPO}/issues/1/labels", {"labels": ["x"]}).status_code == 200
    reader, writer = _id(village, "read"), _id(village, "write")
    seen = _usage(village)
    assert seen[reader]["content"] == {
        "total": 3, "refused": 0, "most_per_minute": 3, "most_per_hour": 3, "last_minute": 3,
    }  # fmt: skip
    assert seen[writer]["content"]["total"] == 0, "a label is not content"
    limits.enforced, limits.content_per_minute = True, 5
    comment = f"{REPO}/issues/1/comments"
    answers = [_ask(village, "read", "POST", comment, {"body": "Hi"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 403, 403]
    refused = answers[2]
    assert "secondary rate limit" in refused.json()["message"]
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert _left(refused) > 0, "the primary budget is not the reason"
    assert _ask(village, "write", "POST", comment, {"body": "Hi"}).status_code == 201, "everybody has a budget"
    assert _ask(village, "read", "GET", comment).status_code == 200, "reading goes on"
    limits.content_per_minute, limits.content_per_hour = 80, 5
    assert int(_ask(village, "read", "POST", comment, {"body": "Hi"}).headers["Retry-After"]) > 3000
    assert _usage(village)[reader]["content"]["refused"] == 3
    with village.server.store.read() as db:
        rows = db.execute("SELECT status FROM journal WHERE path LIKE '%/comments' AND login = 'read'").fetchall()
    assert [row["status"] for row in rows] == [201, 201, 403, 403, 403]
    assert requests.delete(f"{village.server.url}/_usage", timeout=30).status_code == 204
    assert json.loads(requests.get(f"{village.server.url}/_usage", timeout=30).text)["identities"] == []
