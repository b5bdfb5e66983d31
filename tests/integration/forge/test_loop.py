"""From issue to merged pull request, with PyGithub and git as every client uses them."""

from collections.abc import Callable

import pytest
from github import GithubException
from github.Repository import Repository

from tests.integration.forge.conftest import NAME, Village


def test_an_issue_becomes_a_merged_pull_request(
    village: Village, writer: Repository, change: Callable[..., str]
) -> None:
    with village.client("read") as reader:
        issue = reader.get_repo(NAME).create_issue("Too slow", body="It is.")
    triaged = writer.get_issue(issue.number)
    triaged.add_to_labels("entropy:code", "size/small")
    assert [label.name for label in writer.get_issue(issue.number).labels] == ["entropy:code", "size/small"]
    assert [found.number for found in writer.get_issues(labels=["entropy:code"])] == [issue.number]
    triaged.remove_from_labels("size/small")

    head = change("entropy/issue-1")
    pull = writer.create_pull(base="main", head="entropy/issue-1", title="Faster", body=f"Closes #{issue.number}")
    assert (pull.head.sha, pull.mergeable, pull.changed_files, pull.commits) == (head, True, 1, 1)
    with pytest.raises(GithubException) as twice:
        writer.create_pull(base="main", head="entropy/issue-1", title="Again", body="")
    assert twice.value.status == 422
    assert "already exists for acme:entropy/issue-1" in twice.value.data["errors"][0]["message"]
    assert [found.number for found in writer.get_pulls(state="all", head="acme:entropy/issue-1")] == [pull.number]

    with village.client("admin") as client:
        reviewed = client.get_repo(NAME).get_pull(pull.number)
        comment = {"path": "engine.py", "line": 2, "side": "RIGHT", "body": "Why 2?"}
        reviewed.create_review(
            commit=reviewed.get_commits()[0], body="Hm.", event="REQUEST_CHANGES", comments=[comment]
        )
        reviewed.create_review(body="Good.", event="APPROVE")
    assert [review.state for review in pull.get_reviews()] == ["CHANGES_REQUESTED", "APPROVED"]
    assert [(found.path, found.line, found.body) for found in pull.get_review_comments()] == [
        ("engine.py", 2, "Why 2?")
    ]

    commit = writer.get_commit(head)
    commit.create_status("success", context="entropy/tests", description="green")
    assert commit.get_combined_status().state == "success"

    with pytest.raises(GithubException) as stale:
        pull.merge(sha="0" * 40)
    assert stale.value.status == 409
    assert not pull.is_merged()
    merged = pull.merge(sha=head, commit_title="Faster (#2)")
    assert merged.merged
    assert pull.is_merged()
    assert writer.get_branch("main").commit.sha == merged.sha
    assert writer.get_contents("engine.py").decoded_content == b"def thrust():\n    return 2\n"
    assert writer.get_issue(issue.number).state == "closed"
    assert writer.get_branch("entropy/issue-1").commit.sha == head, "a branch goes only when asked"
    author = writer.get_commit(merged.sha).commit.author
    assert author.email.endswith("+write@users.noreply.localhost")
