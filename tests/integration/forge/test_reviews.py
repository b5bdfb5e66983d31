"""Comments on lines stand in the diff, or nowhere."""

from collections.abc import Callable
from typing import Any

import pytest
from github import GithubException
from github.PullRequest import PullRequest
from github.Repository import Repository

from tests.integration.forge.conftest import NAME, Village


@pytest.fixture
def pull(writer: Repository, change: Callable[..., str]) -> PullRequest:
    """Line 2 of engine.py is changed; lines 5 and 6 are context."""
    change("topic", content="def thrust():\n    return 2\n\n\ndef stop():\n    return 0\n")
    return writer.create_pull(base="main", head="topic", title="T", body="")


@pytest.mark.parametrize(
    "comment",
    [
        {"path": "engine.py", "line": 2, "side": "RIGHT"},
        {"path": "engine.py", "line": 2, "side": "LEFT"},
        {"path": "engine.py", "line": 5},
        {"path": "engine.py", "start_line": 1, "line": 2},
        {"path": "engine.py", "position": 2},
    ],
)
def test_a_comment_on_a_line_of_the_diff(village: Village, pull: PullRequest, comment: dict[str, Any]) -> None:
    with village.client("admin") as client:
        reviewed = client.get_repo(NAME).get_pull(pull.number)
        review = reviewed.create_review(event="COMMENT", comments=[{**comment, "body": "Hm"}])  # type: ignore[list-item]
        assert [found.body for found in reviewed.get_single_review_comments(review.id)] == ["Hm"]


@pytest.mark.parametrize(
    "comment",
    [
        {"path": "engine.py", "line": 40},
        {"path": "engine.py", "line": 7, "side": "LEFT"},
        {"path": "README.md", "line": 1},
        {"path": "engine.py", "start_line": 3, "line": 2},
        {"path": "engine.py", "line": 0},
        {"path": "engine.py", "line": "2"},
        {"path": "engine.py"},
        {"line": 2},
    ],
)
def test_a_comment_elsewhere_refuses_the_whole_review(
    village: Village, pull: PullRequest, comment: dict[str, Any]
) -> None:
    with village.client("admin") as client:
        reviewed = client.get_repo(NAME).get_pull(pull.number)
        good = {"path": "engine.py", "line": 2, "body": "Yes"}
        with pytest.raises(GithubException) as refusal:
            reviewed.create_review(event="COMMENT", comments=[good, {**comment, "body": "No"}])  # type: ignore[list-item]
    assert refusal.value.status == 422
    assert all(isinstance(error, str) for error in refusal.value.data["errors"])
    assert list(pull.get_reviews()) == []
    assert list(pull.get_review_comments()) == []


def test_a_reply_stands_where_the_first_comment_stands(pull: PullRequest) -> None:
    first = pull.create_review_comment("Why?", pull.get_commits()[0], "engine.py", line=2)
    answer = pull.create_review_comment_reply(first.id, "Because.")
    assert (answer.path, answer.line, answer.in_reply_to_id) == ("engine.py", 2, first.id)


def test_a_dismissed_review_does_not_count(village: Village, pull: PullRequest) -> None:
    with village.client("admin") as client:
        review = client.get_repo(NAME).get_pull(pull.number).create_review(event="APPROVE")
    pull.get_review(review.id).dismiss("Outdated.")
    assert [found.state for found in pull.get_reviews()] == ["DISMISSED"]


def test_a_review_is_about_a_commit_of_the_pull_request(writer: Repository, pull: PullRequest) -> None:
    with pytest.raises(GithubException, match="not part of the pull request"):
        pull.create_review(commit=writer.get_commit("main"), body="x", event="COMMENT")


def test_check_runs_come_and_complete(writer: Repository, pull: PullRequest) -> None:
    run = writer.create_check_run("tests", pull.head.sha, status="in_progress", external_id="run-1")
    run.edit(conclusion="failure", output={"title": "Red", "summary": "2 failed"})
    found = list(writer.get_commit(pull.head.sha).get_check_runs())
    assert [(one.status, one.conclusion, one.output.title, one.external_id) for one in found] == [
        ("completed", "failure", "Red", "run-1")
    ]


def test_the_newest_status_of_each_context_counts(writer: Repository, pull: PullRequest) -> None:
    commit = writer.get_commit(pull.head.sha)
    assert commit.get_combined_status().state == "pending"
    commit.create_status("failure", context="entropy/tests")
    commit.create_status("success", context="lint")
    assert commit.get_combined_status().state == "failure"
    commit.create_status("success", context="entropy/tests")
    combined = commit.get_combined_status()
    assert (combined.state, combined.total_count, len(list(commit.get_statuses()))) == ("success", 2, 3)
    with pytest.raises(GithubException) as refusal:
        commit.create_status("green")
    assert refusal.value.status == 422


def test_a_review_that_is_not_submitted_is_the_only_one_of_its_author_and_shown_to_nobody_else(
    village: Village, pull: PullRequest
) -> None:
    with village.client("admin") as client:
        mine = client.get_repo(NAME).get_pull(pull.number)
        begun = mine.create_review(body="Wait")
        with pytest.raises(GithubException, match="one pending review"):
            mine.create_review(body="Another")
        assert ([review.state for review in mine.get_reviews()], [*pull.get_reviews()]) == (["PENDING"], [])
        begun.delete()
        assert [*mine.get_reviews()] == []
