"""From a labelled issue to a merged pull request, by real processes."""

import pytest

from tests.e2e.cluster import CONTROL, NAME, SANDBOX, Cluster, git

pytestmark = pytest.mark.from_scratch


def test_an_issue_becomes_a_merged_pull_request_on_split_workers(cluster: Cluster) -> None:
    issue = cluster.file_issue("Add headers", "entropy:code", "recipe:header")
    cluster.split()
    cluster.until(lambda: cluster.repository.get_issue(issue.number).state == "closed", what="the issue is closed")
    (number,) = cluster.merged()
    pull = cluster.repository.get_pull(number)
    assert pull.user.login == "entropy-coder"
    assert f"Closes #{issue.number}" in pull.body
    assert [(review.user.login, review.state) for review in pull.get_reviews()] == [("entropy-reviewer", "APPROVED")]
    assert pull.merged_by.login == "entropy-merger"
    assert not {
        label for label in cluster.labels(number) | cluster.labels(issue.number) if label.startswith("entropy:")
    }
    git("clone", "-q", cluster.forge.remote(NAME), "clone", at=cluster.folder)
    clone = cluster.folder / "clone"
    assert git("log", "-2", "--format=%an", at=clone).splitlines() == ["entropy-merger", "entropy-coder"]
    assert (clone / "widgets" / "__init__.py").read_text().startswith("# SPDX: MIT\n")


def test_a_hand_over_starts_the_next_role_at_once_and_not_at_the_next_beat(cluster: Cluster) -> None:
    issue = cluster.file_issue("Add headers", "entropy:code", "recipe:header")
    rare = {"ENTROPY_SCHEDULING__INTERVAL": "3600"}
    cluster.worker("control", CONTROL, cluster.control() | rare)
    cluster.worker("sandbox", SANDBOX, cluster.sandbox() | rare)
    assert cluster.celery("discover").returncode == 0
    cluster.until(lambda: cluster.repository.get_issue(issue.number).state == "closed", what="the issue is closed")


def test_one_worker_that_serves_every_queue_is_enough(cluster: Cluster) -> None:
    issue = cluster.file_issue("Add headers", "entropy:code", "recipe:header")
    cluster.worker("all", None, {**cluster.control(), **cluster.sandbox()})
    cluster.beat()
    cluster.until(lambda: cluster.repository.get_issue(issue.number).state == "closed", what="the issue is closed")
    assert len(cluster.merged()) == 1


def test_a_red_pull_request_of_a_person_is_sent_back_with_a_remark_at_the_line(cluster: Cluster) -> None:
    cluster.push({"widgets/__init__.py": "def double(n):\n    return n + n + 1\n"}, branch="mine")
    pull = cluster.repository.create_pull(base=cluster.repository.default_branch, head="mine", title="Faster", body="")
    cluster.repository.get_issue(pull.number).add_to_labels("entropy:review")
    cluster.split()
    cluster.until(lambda: "entropy:parked" in cluster.labels(pull.number), what="the pull request is parked")
    (review,) = pull.get_reviews()
    assert (review.user.login, review.state) == ("entropy-reviewer", "CHANGES_REQUESTED")
    (remark,) = pull.get_review_comments()
    assert (remark.path, remark.line) == ("widgets/__init__.py", 2)
    assert "test_double" in remark.body
    (status,) = cluster.repository.get_commit(pull.head.sha).get_combined_status().statuses
    assert (status.context, status.state) == ("entropy/tests", "failure")
    # The coder was asked, and does not touch a branch that is a person's.
    assert cluster.repository.get_branch("mine").commit.sha == pull.head.sha
    assert cluster.merged() == []


def test_five_stages_are_registered_and_each_runs_on_its_queue(cluster: Cluster) -> None:
    cluster.worker("control", CONTROL, cluster.control())
    cluster.worker("sandbox", SANDBOX, cluster.sandbox())
    answer = ""

    def registered() -> bool:
        nonlocal answer
        answer = cluster.celery("inspect", "registered").stdout
        return answer.count("entropy.lifecycle.") == 10

    cluster.until(registered, what="both workers list five stages")
    for stage in ("initialize", "claim", "execute", "report", "cleanup"):
        assert f"* entropy.lifecycle.{stage}" in answer
