"""What the transport does when the forge is ill, slow, gone, moved or busy."""

import logging
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from entropy.errors import ForgeConflict, ForgeRefused, ForgeUnavailable, RateLimited
from entropy.github import GitHub
from entropy.github.errors import Missing, Unauthorized, Unprocessable
from entropy.models import Finding, Secret, Verdict, WorkItem
from entropy.settings import GitHubSettings
from tests.integration.github.scripted import Answer, Asked, scripted

ITEM = WorkItem.parse("acme/widgets#7")
COMMIT = "a" * 40
OWN_COMMENT = {"id": 1, "user": {"login": "coder"}, "body": "<!-- entropy:report -->\nold"}

WRITES: dict[str, Callable[[GitHub], object]] = {
    "comment": lambda github: github.issues.ensure_comment(ITEM, marker="new", body="hello"),
    "edit": lambda github: github.issues.ensure_comment(ITEM, marker="entropy:report", body="hello"),
    "label": lambda github: github.issues.relabel(ITEM, add=["entropy:review"]),
    "unlabel": lambda github: github.issues.relabel(ITEM, remove=["entropy:code"]),
    "merge": lambda github: github.pulls.merge(ITEM, head=COMMIT, title="t", message="m"),
    "open": lambda github: github.pulls.ensure("acme/widgets", branch="b", base="main", title="t", body="b"),
    "review": lambda github: github.reviews.ensure(
        ITEM, marker="r", commit=COMMIT, verdict=Verdict.APPROVED, body="good"
    ),
    "status": lambda github: github.reviews.set_status(
        "acme/widgets", commit=COMMIT, context="entropy/tests", state="success", description="green"
    ),
}


def client(api: str, *, timeout: float = 5) -> GitHub:
    return GitHub(GitHubSettings(api=api, timeout=timeout), Secret("t0ken"))


def reading(asked: Asked) -> Answer:
    if asked.path == "/user":
        return Answer(body={"id": 1, "login": "coder", "name": None})
    return Answer(body=[OWN_COMMENT] if "/issues/7/comments" in asked.path else [])


def failing_writes(answer: Answer) -> Callable[[Asked], Answer]:
    return lambda asked: reading(asked) if asked.method == "GET" else answer


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_is_sent_once_whatever_the_forge_answers(name: str, status: int) -> None:
    with (
        scripted(failing_writes(Answer(status, {"message": "Server Error"}))) as server,
        client(server.api) as github,
        pytest.raises(ForgeUnavailable),
    ):
        WRITES[name](github)
    assert len([asked for asked in server.asked if asked.method != "GET"]) == 1


def test_a_write_is_sent_once_when_the_answer_never_comes() -> None:
    def slow(asked: Asked) -> Answer:
        if asked.method == "POST":
            time.sleep(1.5)
        return reading(asked)

    with (
        scripted(slow) as server,
        client(server.api, timeout=1) as github,
        pytest.raises(ForgeUnavailable, match=r"^Could not add the label entropy:review to acme/widgets#7: "),
    ):
        WRITES["label"](github)
    assert server.count("POST") == 1


def test_a_write_is_sent_once_when_the_connection_breaks() -> None:
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:

        def hang_up_three_times() -> None:
            listener.settimeout(2)
            for _ in range(3):
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    return
                with connection:
                    asked.append(connection.recv(65536).split(b" ")[0])

        pool.submit(hang_up_three_times)
        with (
            client(f"http://127.0.0.1:{listener.getsockname()[1]}/api/v3") as github,
            pytest.raises(ForgeUnavailable),
        ):
            WRITES["label"](github)
    assert asked == [b"POST"]


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_write_is_an_error(name: str, status: int) -> None:
    moved = Answer(status, {"message": "Moved"}, {"location": "/api/v3/elsewhere"})
    with (
        scripted(failing_writes(moved)) as server,
        client(server.api) as github,
        pytest.raises(ForgeRefused, match=r"redirects to /api/v3/elsewhere"),
    ):
        WRITES[name](github)
    assert len([asked for asked in server.asked if asked.method != "GET"]) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirected_list_is_refused_rather_than_read_without_its_filter(status: int) -> None:
    def renamed(asked: Asked) -> Answer:
        if asked.path.startswith("/repos/"):
            return Answer(status, {}, {"location": f"{server.api}/elsewhere/issues"})
        return Answer(body=[{"number": 1}])

    with (
        scripted(renamed) as server,
        client(server.api) as github,
        pytest.raises(ForgeRefused, match=r"GET /api/v3/repos/acme/widgets/issues: .*renamed or moved"),
    ):
        github.discovery.labelled("acme/widgets", ["entropy:code"])
    assert len(server.asked) == 1


def test_a_read_is_repeated_until_the_forge_is_well() -> None:
    def ill_twice(asked: Asked) -> Answer:
        return Answer(502) if len(server.asked) < 3 else reading(asked)

    with scripted(ill_twice) as server, client(server.api) as github:
        assert github.identity().login == "coder"
    assert server.count("GET") == 3


def test_a_read_is_not_repeated_for_ever() -> None:
    with (
        scripted(lambda asked: Answer(503, headers={"retry-after": "3600"})) as server,
        client(server.api) as github,
        pytest.raises(ForgeUnavailable, match=r"the forge answered 503"),
    ):
        github.identity()
    assert server.count("GET") == 4


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with client(f"http://127.0.0.1:{port}/api/v3") as github:
        for call in (lambda: github.repository("acme/widgets"), lambda: WRITES["label"](github)):
            with pytest.raises(
                ForgeUnavailable, match=rf"^Could not .*: the forge at 127\.0\.0\.1:{port} does not answer"
            ):
                call()


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("headers", "message", "wait"),
    [
        ({"retry-after": "17"}, "You have exceeded a secondary rate limit.", 17),
        ({}, "You have exceeded a secondary rate limit and have been temporarily blocked.", 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1893456090"}, "API rate limit exceeded for user.", 91),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1893455000"}, "API rate limit exceeded for user.", 1),
    ],
)
def test_a_rate_limit_says_how_long_and_is_not_tried_again(
    status: int, method: str, headers: dict[str, str], message: str, wait: float
) -> None:
    clock = {"date": "Tue, 01 Jan 2030 00:00:00 GMT"}  # 1893456000: limits end by the forge's clock
    limited = Answer(status, {"message": message}, {**clock, **headers})
    with (
        scripted(lambda asked: limited) as server,
        client(server.api) as github,
        pytest.raises(RateLimited) as caught,
    ):
        github.identity() if method == "GET" else WRITES["label"](github)
    assert caught.value.retry_after == wait
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "message", "kind", "sentence"),
    [
        (401, "Bad credentials", Unauthorized, "renew the token"),
        (403, "Resource not accessible by personal access token", ForgeRefused, "give the token"),
        (404, "Not Found", Missing, "check the name"),
        (410, "This issue was deleted", Missing, "it was deleted"),
        (422, "Validation Failed", Unprocessable, "Validation Failed: no such base"),
        (409, "Head branch was modified", ForgeConflict, "Head branch was modified"),
        (405, "Pull Request is not mergeable", ForgeConflict, "not mergeable"),
        (422, "Reference already exists", ForgeConflict, "Reference already exists"),
    ],
)
def test_a_refusal_says_what_was_tried_and_what_to_do(
    status: int, message: str, kind: type[ForgeRefused], sentence: str
) -> None:
    refused = Answer(status, {"message": message, "errors": [{"message": "no such base"}] if status == 422 else []})
    with (
        scripted(lambda asked: refused) as server,
        client(server.api) as github,
        pytest.raises(ForgeRefused, match=r"^Could not add the label entropy:review to acme/widgets#7: ") as caught,
    ):
        WRITES["label"](github)
    assert sentence in str(caught.value)
    assert type(caught.value) is kind


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"{broken"])
def test_something_else_than_an_api_is_not_believed(body: bytes) -> None:
    answer = Answer(200, body, {"content-type": "text/html"})
    with scripted(lambda asked: answer) as server, client(server.api) as github:
        for call in (
            github.identity,
            lambda: github.discovery.labelled("acme/widgets", ["x"]),
            lambda: WRITES["label"](github),
        ):
            with pytest.raises(ForgeUnavailable):
                call()


def test_pages_that_lead_to_another_host_are_refused() -> None:
    elsewhere = Answer(body=[{"id": 1}], headers={"link": '<http://127.0.0.2:1/api/v3/x?page=2>; rel="next"'})
    with (
        scripted(lambda asked: elsewhere) as server,
        client(server.api) as github,
        pytest.raises(ForgeRefused, match=r"another address"),
    ):
        github.pulls.find("acme/widgets", branch="b")


def test_a_gone_label_is_what_was_wanted() -> None:
    missing = failing_writes(Answer(404, {"message": "Label does not exist"}))
    with scripted(missing) as server, client(server.api) as github:
        github.issues.relabel(ITEM, remove=["entropy:code", "a label/with %"])
    assert [asked.path for asked in server.asked] == [
        "/repos/acme/widgets/issues/7/labels/entropy%3Acode",
        "/repos/acme/widgets/issues/7/labels/a%20label%2Fwith%20%25",
    ]


def test_pull_requests_of_other_branches_are_not_ours_even_if_the_forge_lists_them() -> None:
    def pull(number: int, ref: str, repository: str | None) -> dict[str, object]:
        side = {"ref": ref, "sha": COMMIT, "repo": repository and {"full_name": repository}}
        rest = {"user": None, "state": "open", "draft": False, "merged_at": None, "node_id": "P"}
        return {"number": number, "head": side, "base": side, **rest}

    pulls = [
        pull(1, "b", "Acme/Widgets"),
        pull(2, "other", "acme/widgets"),
        pull(3, "b", "fork/widgets"),
        pull(4, "b", None),
    ]
    with scripted(lambda asked: Answer(body=pulls)) as server, client(server.api) as github:
        found = github.pulls.find("acme/widgets", branch="b")
    assert [(pull.number, pull.author) for pull in found] == [(1, "ghost")]
    assert server.asked[0].path == "/repos/acme/widgets/pulls?head=acme%3Ab&per_page=100&state=all"


def test_a_review_whose_lines_moved_away_says_everything_in_its_body() -> None:
    begun: list[dict[str, object]] = []

    def moved(asked: Asked) -> Answer:
        if asked.method == "GET" and "/reviews" in asked.path:
            return Answer(body=begun)
        if asked.method == "GET":
            diff = [{"filename": "a.py", "patch": "@@ -0,0 +1 @@\n+x"}]
            return Answer(body=diff) if "files" in asked.path else reading(asked)
        if asked.path.endswith("/events"):
            return Answer()
        if asked.body["comments"]:
            return Answer(422, {"message": "Unprocessable Entity"})
        begun.append({"id": 3, "user": {"login": "coder"}, "state": "PENDING", **asked.body})
        return Answer(body=begun[0])

    with scripted(moved) as server, client(server.api) as github:
        github.reviews.ensure(
            ITEM,
            marker="entropy:review",
            commit=COMMIT,
            verdict=Verdict.CHANGES_REQUESTED,
            body="Look.",
            findings=(Finding(path="a.py", line=1, message="Why?"),),
        )
    last = server.asked[-1].body
    assert (begun[0]["comments"], last["event"]) == ([], "REQUEST_CHANGES")
    assert last["body"].endswith("- `a.py` line 1: Why?")


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns so often that those who share what they should not are caught at it."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("restless")
def test_threads_that_share_a_client_get_their_own_answers() -> None:
    def echo(asked: Asked) -> Answer:
        name = asked.path.removeprefix("/repos/")
        return Answer(body={"full_name": name, "default_branch": "main", "clone_url": f"http://x/{name}.git"})

    with scripted(echo) as server, client(server.api) as github, ThreadPoolExecutor(16) as pool:
        together = Barrier(16)

        def ask(thread: int) -> list[bool]:
            together.wait()
            with github:
                names = [f"acme/t{thread}-{turn}" for turn in range(25)]
                return [github.repository(name).name == name for name in names]

        answers = [right for thread in pool.map(ask, range(16)) for right in thread]
    assert len(answers) == 400
    assert all(answers)


def test_each_write_leaves_a_line_with_its_item(caplog: pytest.LogCaptureFixture) -> None:
    with scripted(reading) as server, client(server.api) as github, caplog.at_level(logging.INFO, "entropy.github"):
        WRITES["label"](github)
    (record,) = [record for record in caplog.records if record.name.startswith("entropy.github")]
    assert (record.__dict__["item"], record.__dict__["action"]) == ("acme/widgets#7", "add the label entropy:review to")
    assert "t0ken" not in caplog.text


def test_the_token_is_sent_and_not_shown() -> None:
    github = client("http://127.0.0.1:9/api/v3")
    assert "t0ken" not in repr(vars(github)) + repr(github)
    with pytest.raises(ForgeUnavailable) as caught:
        github.identity()
    assert "t0ken" not in str(caught.value)
