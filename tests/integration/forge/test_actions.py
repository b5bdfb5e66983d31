"""Jobs of GitHub Actions: where their logs lie, who gets them, and what comes of running one again."""

from collections.abc import Callable

import pytest
import requests

from tests.integration.forge.judged import HOME, NAME, Judged
from tests.jobs import failed_job

LOG = b"2026-11-22T10:00:00.0000000Z ##[error]Red.\n"


@pytest.fixture
def head(change: Callable[..., str]) -> str:
    return change("topic")


def address(judged: Judged, job: int) -> str:
    """Where the log of a job lies."""
    token = {"Authorization": f"Bearer {judged.tokens['read']}"}
    path = f"{judged.server.api}{HOME}/actions/jobs/{job}/logs"
    answer = requests.get(path, headers=token, timeout=30, allow_redirects=False)
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_a_log_lies_at_an_address_that_takes_no_second_credential(judged: Judged, head: str) -> None:
    place = address(judged, failed_job(judged.server.store, NAME, head, log=LOG))
    assert requests.get(place, timeout=30).content == LOG
    part = requests.get(place, headers={"Range": "bytes=29-"}, timeout=30)
    assert (part.status_code, part.content) == (206, LOG[29:])
    for token in ("nobody", judged.tokens["admin"]):
        refused = requests.get(place, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert (refused.status_code, "InvalidAuthenticationInfo" in refused.text) == (400, True)


@pytest.mark.parametrize(("old", "new"), [("sig=", "sig=f"), ("sig=", "sig=\u00e9"), ("se=", "se=9"), ("se=", "se=x")])
def test_an_address_that_was_changed_opens_nothing(judged: Judged, head: str, old: str, new: str) -> None:
    place = address(judged, failed_job(judged.server.store, NAME, head, log=LOG))
    assert requests.get(place.replace(old, new), timeout=30).status_code == 403
    other = failed_job(judged.server.store, NAME, head, log=b"other\n")
    assert requests.get(place.replace(f"/_logs/{other - 1}?", f"/_logs/{other}?"), timeout=30).status_code == 403


def test_only_jobs_have_logs_and_only_as_long_as_they_are_kept(judged: Judged, head: str) -> None:
    run = judged.ask("write", "POST", f"{HOME}/check-runs", {"name": "lint", "head_sha": head, "conclusion": "failure"})
    other = failed_job(judged.server.store, NAME, head, log=LOG, app="Another")
    for number in (run["id"], other, other + 1):
        judged.ask("read", "GET", f"{HOME}/actions/jobs/{number}/logs", status=404)
        judged.ask("write", "POST", f"{HOME}/actions/jobs/{number}/rerun", status=404)
    job = failed_job(judged.server.store, NAME, head)
    judged.ask("read", "GET", f"{HOME}/actions/jobs/{job}/logs", status=410)
    judged.ask("nobody", "GET", f"{HOME}/actions/jobs/{job}/logs", status=401)


def test_a_job_runs_again_as_a_new_check_run_that_waits(judged: Judged, head: str) -> None:
    job = failed_job(judged.server.store, NAME, head, log=LOG)
    judged.ask("read", "POST", f"{HOME}/actions/jobs/{job}/rerun", status=403)
    judged.ask("write", "POST", f"{HOME}/actions/jobs/{job}/rerun", status=201)
    (run,) = judged.ask("read", "GET", f"{HOME}/commits/{head}/check-runs")["check_runs"]
    assert (run["name"], run["status"], run["app"]["slug"]) == ("build", "queued", "github-actions")
    assert run["id"] != job
    judged.ask("write", "POST", f"{HOME}/actions/jobs/{run['id']}/rerun", status=403)
