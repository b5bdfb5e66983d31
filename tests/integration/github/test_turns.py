"""What workers learn from the forge's answers about its limits, and keep to together."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.errors import ForgeRefused, ForgeUnavailable, RateLimited
from entropy.github import GitHub
from entropy.github.limiting import content, importance
from entropy.github.transport import GRAPHQL, Request
from entropy.models import Importance, Secret, WorkItem
from entropy.settings import GitHubSettings, LimitSettings, RedisSettings
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys
from entropy.state.limits import FleetLimits
from tests.forge_server import running_forge
from tests.integration.github.scripted import Answer, Asked, scripted

KEYS = Keys("turns")
LEFT = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4000", "x-ratelimit-reset": "4102444800"}
ITEM = WorkItem.parse("acme/widgets#1")


@pytest.fixture
def connection(redis_url: str) -> Iterator[RedisConnection]:
    connection = RedisConnection(RedisSettings(url=redis_url))
    yield connection
    connection.close()


def worker(api: str, connection: RedisConnection, token: str = "t0ken") -> GitHub:
    limits = FleetLimits(connection, KEYS, LimitSettings(patience=0), span=20)
    return GitHub(GitHubSettings(api=api, timeout=2), Secret(token), limiter=limits)


def read_on(github: GitHub) -> None:
    while True:
        github.repository("acme/widgets")


def answering(answer: Answer) -> Iterator[Answer]:
    """First this, then what is well."""
    yield answer
    while True:
        yield Answer(body=[])


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (Answer(403, {"message": "You have exceeded a secondary rate limit."}, {"retry-after": "33"}), 33),
        (Answer(403, {"message": "You have exceeded a secondary rate limit."}), 60),
        (Answer(429, {"message": "Too many requests"}), 60),
        (Answer(403, {"message": "You have exceeded a secondary rate limit."}, {"retry-after": "44", **LEFT}), 44),
    ],
)
def test_what_one_worker_is_told_all_workers_obey(connection: RedisConnection, answer: Answer, wait: int) -> None:
    answers = answering(answer)

    def script(asked: Asked) -> Answer:
        return Answer(body={"id": 1, "login": "coder"}) if asked.path == "/user" else next(answers)

    with scripted(script) as server, worker(server.api, connection) as one, worker(server.api, connection) as other:
        with pytest.raises(RateLimited):
            one.issues.relabel(ITEM, add=["x"])
        for act in (lambda: other.issues.relabel(ITEM, add=["x"]), lambda: other.issues.get(ITEM)):
            with pytest.raises(RateLimited, match="asked everybody with this identity to wait") as caught:
                act()
            assert wait - 5 < caught.value.retry_after <= wait
    assert server.count("POST") == 1


def test_a_refusal_for_want_of_permission_pauses_nobody(connection: RedisConnection) -> None:
    def script(asked: Asked) -> Answer:
        if asked.path == "/user":
            return Answer(body={"id": 1, "login": "coder"})
        return Answer(403, {"message": "Resource not accessible by personal access token"})

    with scripted(script) as server, worker(server.api, connection) as github:
        for _ in range(2):
            with pytest.raises(ForgeRefused, match="give the token"):
                github.issues.relabel(ITEM, add=["x"])
    assert server.count("POST") == 2


def test_two_tokens_of_one_account_share_its_limits(connection: RedisConnection) -> None:
    def script(asked: Asked) -> Answer:
        return Answer(body={"id": 1, "login": "coder"}) if asked.path == "/user" else Answer(429)

    with scripted(script) as server:
        for token in ("one", "two"):
            with worker(server.api, connection, token) as github, pytest.raises(RateLimited):
                github.issues.relabel(ITEM, add=["x"])
    assert server.count("POST") == 1


def test_a_write_whose_answer_never_came_is_counted(connection: RedisConnection) -> None:
    def script(asked: Asked) -> Answer:
        return Answer(body={"id": 1, "login": "coder"}) if asked.path == "/user" else Answer(502)

    with scripted(script) as server, worker(server.api, connection) as github, pytest.raises(ForgeUnavailable):
        github.issues.relabel(ITEM, add=["x"])
    assert connection.redis.zcard(KEYS.limit("user:coder", "writes")) == 1


def test_reads_stop_at_the_reserve_of_the_forge_s_budget_and_writes_go_on(
    connection: RedisConnection, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "text.txt").write_text("once\n")
    with running_forge(tmp_path) as forge:
        forge.store.import_repository(source, "acme/widgets")
        token = forge.store.enrol("coder", name=None, full_name="acme/widgets", permission="write")
        limits = forge.store.limits
        limits.enforced, limits.hourly = True, 40
        limits.reset()
        with worker(forge.api, connection, token) as github:
            with pytest.raises(RateLimited, match="kept for writes") as caught:
                read_on(github)
            assert caught.value.retry_after > 3500
            github._connection.write("POST", "/repos/acme/widgets/issues", {"title": "t"}, target=ITEM, action="open")
        (usage,) = limits.usage()
    assert (usage["core"]["refused"], usage["core"]["charged"]) == (0, 40 - 4 + 1)


@pytest.mark.parametrize(
    ("verb", "path", "expected"),
    [
        ("PUT", "/repos/a/b/pulls/7/merge", Importance.MERGE),
        ("POST", "/repos/a/b/issues/7/labels", Importance.CHANGE),
        ("POST", "/repos/a/b/pulls", Importance.CHANGE),
        ("POST", "/repos/a/b/pulls/7/reviews", Importance.CHANGE),
        ("POST", "/repos/a/b/issues/7/comments", Importance.COMMENT),
        ("PATCH", "/repos/a/b/issues/comments/9", Importance.COMMENT),
        ("POST", "/repos/a/b/pulls/7/comments/9/replies", Importance.COMMENT),
        ("POST", "/repos/a/b/issues/comments/9/reactions", Importance.COMMENT),
        ("GET", "/repos/a/b/issues/7/comments", Importance.READ),
    ],
)
def test_merges_come_before_labels_and_these_before_comments(verb: str, path: str, expected: Importance) -> None:
    assert importance(Request(verb, path, "t")) is expected


@pytest.mark.parametrize(
    ("verb", "path", "expected"),
    [
        ("POST", "/repos/a/b/issues", True),
        ("POST", "/repos/a/b/issues/7/comments", True),
        ("POST", "/repos/a/b/pulls/7/reviews", True),
        ("POST", "/repos/a/b/pulls/7/reviews/9/events", True),
        ("PATCH", "/repos/a/b/issues/comments/9", False),
        ("POST", "/repos/a/b/issues/7/labels", False),
        ("POST", "/repos/a/b/statuses/1234567", False),
        ("PUT", "/repos/a/b/pulls/7/merge", False),
        ("GET", "/repos/a/b/issues", False),
    ],
)
def test_content_is_what_people_are_told_of(verb: str, path: str, expected: bool) -> None:
    assert content(Request(verb, path, "t")) is expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("query Discover { viewer { login } }", Importance.READ),
        ("mutation ResolveThread { resolveReviewThread { clientMutationId } }", Importance.CHANGE),
        ("mutation Enqueue { enqueuePullRequest { clientMutationId } }", Importance.MERGE),
    ],
)
def test_graphql_documents_take_their_turns_too(document: str, expected: Importance) -> None:
    assert importance(Request("POST", GRAPHQL, "t", body={"query": document})) is expected
