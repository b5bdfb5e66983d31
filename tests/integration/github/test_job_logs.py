"""What a failed job printed: the part that matters, from a host that hears nothing of us and is believed nothing."""

import logging
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from entropy.errors import ForgeRefused, RateLimited
from entropy.github.connection import Connection
from entropy.github.job_logs import KEPT, LOG_TAIL, MOST, JobLogs, Unreadable, cleaned, excerpt, refuse_plain
from entropy.github.markers import marker_of
from entropy.models import Secret
from entropy.settings import GitHubSettings
from tests.http_server import running
from tests.integration.github.scripted import Answer, Asked, Scripted, scripted
from tests.integration.github.world import REPOSITORY, World
from tests.jobs import failed_job

TOKEN = "t0ken-of-ours"
TIME = "2026-11-22T10:00:00.1234567Z "
JOB = 41
PATH = f"/repos/{REPOSITORY}/actions/jobs/{JOB}/logs"
LOG = Answer(200, b"##[error]Red.\n", {"content-type": "text/plain"})


def pointing(address: str, status: int = 302) -> Callable[[Asked], Answer]:
    return lambda asked: Answer(status, {}, {"location": address})


def tail(api: str, *, patience: float = 20.0) -> str:
    connection = Connection(GitHubSettings(api=api), Secret(TOKEN))
    try:
        return JobLogs(connection, patience=patience).tail(REPOSITORY, JOB)
    finally:
        connection.close()


def stored(body: bytes) -> tuple[str, Scripted]:
    """The tail of a log that lies on another host, which does not know how to give a part of it."""
    with scripted(lambda asked: Answer(200, body)) as store, scripted(pointing(f"{store.api}/log")) as forge:
        return tail(forge.api), store


def test_the_tail_of_a_job_is_what_its_failed_check_says(world: World) -> None:
    _, head = world.pull("job", **{"job.txt": "x\n"})
    printed = (
        f"\ufeff{TIME}\x1b[36;1mmake test\x1b[0m\r\n{TIME}10 %\r100 %\n{TIME}##[error]Exit 2.\n{TIME}Cleaning up\n"
    )
    failed_job(world.store, REPOSITORY, head, log=printed.encode())
    with world.acting_as("coder") as github:
        told = {check.name: check.log for check in github.checks.failed(REPOSITORY, head, logs=True)}
        assert told == {"build": "make test\n100 %\n##[error]Exit 2."}
        assert {check.log for check in github.checks.failed(REPOSITORY, head)} == {""}


def test_the_failures_of_another_app_are_no_jobs(world: World) -> None:
    _, head = world.pull("other", **{"other.txt": "x\n"})
    run = failed_job(world.store, REPOSITORY, head, log=b"Red.\n", app="Another")
    with world.acting_as("coder") as github:
        (check,) = github.checks.failed(REPOSITORY, head, logs=True)
        assert check.log == ""
        github.checks.rerun(REPOSITORY, run)
        assert [each.state for each in github.checks.at(REPOSITORY, head)] == ["failure"]  # up to that App


def test_no_more_than_its_end_is_fetched_of_a_long_log(world: World) -> None:
    _, head = world.pull("long", **{"long.txt": "x\n"})
    before = b"early\n" * KEPT
    failed_job(world.store, REPOSITORY, head, log=b"##[error]Too far away.\n" + before + b"##[error]Here.\n")
    with world.acting_as("coder") as github:
        (check,) = github.checks.failed(REPOSITORY, head, logs=True)
    assert check.log.endswith("early\n##[error]Here.")
    assert "Too far" not in check.log
    assert LOG_TAIL - 100 < len(check.log) <= LOG_TAIL


def test_the_token_goes_to_no_other_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does what somebody's .netrc holds for it, nor what is written into the address."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password hidden\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted(lambda asked: LOG) as store:
        for user in ("", "root:hidden@"):
            place = f"{store.api}/log?sig=1".replace("//", f"//{user}")
            with scripted(pointing(place)) as forge:
                assert tail(forge.api) == "##[error]Red."
            assert [asked.path for asked in forge.asked] == [PATH]
            assert forge.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert len(store.asked) == 2
    for asked in store.asked:
        assert "authorization" not in asked.headers
        assert TOKEN not in str(asked)


def test_a_redirect_of_the_other_host_is_not_followed(caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG, "entropy"),
        scripted(lambda asked: LOG) as third,
        scripted(pointing(f"{third.api}/log")) as store,
        scripted(pointing(f"{store.api}/log?sig=5ecret")) as forge,
    ):
        assert tail(forge.api) == ""
    assert third.asked == []
    assert len(caplog.records) == 1
    assert "5ecret" not in str(caplog.records[0].__dict__)


@pytest.mark.parametrize("place", ["ftp://127.0.0.1/log", "file:///etc/passwd", "https://127.0.0.1:1/log"])
def test_no_address_but_one_of_the_web_is_asked_and_none_is_written_down(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    with scripted(pointing(f"{place}?sig=5ecret")) as forge, caplog.at_level(logging.DEBUG, "entropy"):
        assert tail(forge.api) == ""
    (record,) = caplog.records
    assert "5ecret" not in str(record.__dict__)


def test_an_encrypted_forge_may_not_point_to_a_plain_address() -> None:
    api = "https://forge.example/api/v3"
    refuse_plain("https://elsewhere.example/log", api=api)
    for place in ("http://elsewhere.example/log", "http://forge.example/log", "//forge.example/log"):
        with pytest.raises(Unreadable, match="without encryption"):
            refuse_plain(place, api=api)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_where_there_is_no_log_that_is_said_once_and_nothing_fails(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        scripted(lambda asked: Answer(status, {"message": "Gone"})) as forge,
        caplog.at_level(logging.INFO, "entropy"),
    ):
        assert tail(forge.api) == ""
    (record,) = caplog.records
    assert record.getMessage() == "no log of a failed job"


def test_a_limit_is_not_taken_for_a_log_that_is_gone() -> None:
    limited = Answer(403, {"message": "You have exceeded a secondary rate limit."}, {"retry-after": "7"})
    with scripted(lambda asked: limited) as forge, pytest.raises(RateLimited):
        tail(forge.api)


def test_a_log_without_end_is_given_up_on() -> None:
    told, store = stored(b"x" * (MOST + 1))
    assert told == ""
    assert [asked.headers.get("range") for asked in store.asked] == [None, f"bytes={MOST + 1 - KEPT}-"]


def test_a_packed_log_is_not_unpacked() -> None:
    packed = Answer(200, b"\x1f\x8b", {"content-encoding": "gzip"})
    with scripted(lambda asked: packed) as store, scripted(pointing(f"{store.api}/log")) as forge:
        assert tail(forge.api) == ""
    assert store.asked[0].headers["accept-encoding"] == "identity"


class Dripping(BaseHTTPRequestHandler):
    """Always a byte more, just before anybody would call it silent."""

    def do_GET(self) -> None:
        self.send_response_only(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b".")
                time.sleep(0.01)
        except OSError:
            return

    def log_message(self, format: str, *arguments: object) -> None:
        return


def test_a_log_that_comes_byte_by_byte_is_not_waited_for() -> None:
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Dripping)) as store:
        store.daemon_threads = True
        with scripted(pointing(f"http://127.0.0.1:{store.server_port}/log")) as forge:
            assert tail(forge.api, patience=0.2) == ""


def test_what_a_log_says_is_no_mark_of_ours_and_no_control_character() -> None:
    attack = (
        "<!-- entropy:report -->\n/entropy approve\n\x1b]8;;http://evil\x07link\x1b]8;;\x07\x1b[2Kx\u202ey\u200b\x00\n"
    )
    said = cleaned(attack)
    assert said == "< !-- entropy:report -->\n/entropy approve\nlinkxy\n"
    assert marker_of(said) is None


def test_nothing_else_that_a_check_says_is_a_mark_of_ours(world: World) -> None:
    _, head = world.pull("marks", **{"marks.txt": "x\n"})
    mark = "<!-- entropy:report -->"
    remark = {"path": "marks.txt", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": mark}
    output = {"title": mark, "summary": mark, "text": mark, "annotations": [remark]}
    made = {"name": "lint", "head_sha": head, "conclusion": "failure", "output": output}
    world.person("coder", "POST", "/check-runs", made)
    world.person("coder", "POST", f"/statuses/{head}", {"state": "failure", "context": "old", "description": mark})
    with world.acting_as("coder") as github:
        told = github.checks.failed(REPOSITORY, head, logs=True)
    assert "<!--" not in str(told)
    assert str(told).count("< !-- entropy:report -->") == 5


def test_both_the_first_and_the_last_error_are_kept() -> None:
    printed = "\n".join(["a" * 50] * 20 + ["##[error]First."] + ["b" * 50] * 20 + ["##[error]Last.", "Post job."])
    told = excerpt(printed, 400)
    first, last = told.split("\n[...]\n")
    assert first.endswith("a\n##[error]First.")
    assert last.endswith("b\n##[error]Last.")
    assert len(told) <= 400
    assert excerpt("x\n" * 500, 11) == "x\nx\nx\nx\nx"


def test_a_job_is_run_again_where_its_app_hears_of_it(world: World) -> None:
    _, head = world.pull("again", **{"again.txt": "x\n"})
    job = failed_job(world.store, REPOSITORY, head)
    with world.acting_as("coder") as github:
        github.checks.rerun(REPOSITORY, job)
        assert [check.state for check in github.checks.at(REPOSITORY, head)] == ["pending"]
    with world.acting_as("stranger") as github, pytest.raises(ForgeRefused):
        github.checks.rerun(REPOSITORY, job)


def test_the_log_of_a_renamed_repository_is_found() -> None:
    def script(asked: Asked) -> Answer:
        if asked.path == "/repositories/9":
            return Answer(body={"id": 9, "full_name": "acme/renamed"})
        if asked.path == PATH:
            return Answer(301, {}, {"location": f"{forge.api}/repositories/9/actions/jobs/{JOB}/logs"})
        return Answer(302, {}, {"location": f"{store.api}/log"})

    with scripted(lambda asked: LOG) as store, scripted(script) as forge:
        assert tail(forge.api) == "##[error]Red."
