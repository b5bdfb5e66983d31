"""Check runs and suites: who made them, what they found, and what they come to."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.forge.judged import HOME, Judged

REMARK = {
    "path": "engine.py", "start_line": 2, "end_line": 3, "annotation_level": "failure", "message": "Too much thrust.",
}  # fmt: skip


@pytest.fixture
def head(judged: Judged, change: Callable[..., str]) -> str:
    sha = change("topic")
    judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main"})
    return sha


def run(judged: Judged, head: str, name: str = "tests", **told: Any) -> dict[str, Any]:
    body = {"name": name, "head_sha": head, **told}
    made: dict[str, Any] = judged.ask("write", "POST", f"{HOME}/check-runs", body, status=201)
    return made


def test_a_run_with_annotations(judged: Judged, head: str) -> None:
    output = {"title": "Red", "summary": "1 failed", "annotations": [REMARK]}
    made = run(judged, head, external_id="run-1", status="in_progress", output=output)
    path = f"{HOME}/check-runs/{made['id']}"
    more = {"conclusion": "failure", "output": {"title": "Red", "summary": "2 failed", "annotations": [REMARK]}}
    done = judged.ask("write", "PATCH", path, more)
    assert (done["status"], done["conclusion"], done["external_id"]) == ("completed", "failure", "run-1")
    assert (done["output"]["summary"], done["output"]["annotations_count"]) == ("2 failed", 2)
    (first, second) = judged.ask("read", "GET", f"{path}/annotations")
    assert first == second
    assert (first["path"], first["start_line"], first["annotation_level"]) == ("engine.py", 2, "failure")
    assert [found["number"] for found in done["pull_requests"]] == [1]
    assert judged.ask("read", "GET", path) == done


def test_no_more_than_fifty_annotations_at_once(judged: Judged, head: str) -> None:
    output = {"title": "Red", "summary": "Many", "annotations": [REMARK] * 51}
    answer = judged.answer("write", "POST", f"{HOME}/check-runs", {"name": "x", "head_sha": head, "output": output})
    assert answer.status_code == 422
    assert judged.ask("read", "GET", f"{HOME}/commits/{head}/check-runs")["total_count"] == 0
    judged.judge.exchanges.clear()  # the description knows this limit too


def test_a_suite_is_done_when_all_its_runs_are(judged: Judged, head: str) -> None:
    first, second = run(judged, head, "tests"), run(judged, head, "lint", conclusion="success")
    assert first["check_suite"] == second["check_suite"]
    path = f"{HOME}/check-suites/{first['check_suite']['id']}"
    assert judged.ask("read", "GET", path)["status"] == "in_progress"
    judged.ask("write", "PATCH", f"{HOME}/check-runs/{first['id']}", {"conclusion": "failure"})
    suite = judged.ask("read", "GET", path)
    assert (suite["status"], suite["conclusion"], suite["head_branch"]) == ("completed", "failure", "topic")
    assert judged.ask("read", "GET", f"{path}/check-runs")["total_count"] == 2
    found = judged.ask("read", "GET", f"{HOME}/commits/topic/check-suites")
    assert [row["id"] for row in found["check_suites"]] == [suite["id"]]
    again = judged.ask("write", "POST", f"{HOME}/check-suites", {"head_sha": head}, status=200)
    assert again["id"] == suite["id"]
    judged.ask("write", "POST", f"{path}/rerequest", status=201)
    judged.ask("write", "POST", f"{HOME}/check-runs/{first['id']}/rerequest", status=201)


def test_readers_make_no_runs(judged: Judged, head: str) -> None:
    judged.ask("read", "POST", f"{HOME}/check-runs", {"name": "x", "head_sha": head}, status=403)
