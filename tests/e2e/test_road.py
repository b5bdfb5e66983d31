"""From a labelled issue to a merged pull request, by real processes."""

import subprocess

from tests.e2e.cluster import CONTROL, NAME, SANDBOX, Cluster


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
    authors = _git(cluster, "log", "-2", "--format=%an")
    assert authors.splitlines() == ["entropy-merger", "entropy-coder"]
    assert _git(cluster, "show", "HEAD:widgets/__init__.py").startswith("# SPDX: MIT\n")


def test_one_worker_that_serves_every_queue_is_enough(cluster: Cluster) -> None:
    issue = cluster.file_issue("Add headers", "entropy:code", "recipe:header")
    cluster.worker("all", None, {**cluster.control(), **cluster.sandbox()})
    cluster.beat()
    cluster.until(lambda: cluster.repository.get_issue(issue.number).state == "closed", what="the issue is closed")
    assert len(cluster.merged()) == 1


def test_a_red_change_is_sent_back_and_after_three_rounds_a_person_is_asked(cluster: Cluster) -> None:
    cluster.file_issue("Break it", "entropy:code", "recipe:breaks")
    cluster.split()
    cluster.until(
        lambda: any(pull.get_reviews().totalCount for pull in cluster.repository.get_pulls()), what="a review"
    )
    (pull,) = cluster.repository.get_pulls()
    review = pull.get_reviews()[0]
    assert (review.user.login, review.state) == ("entropy-reviewer", "CHANGES_REQUESTED")
    (remark,) = pull.get_single_review_comments(review.id) if hasattr(pull, "get_single_review_comments") else ()
    assert remark.path == "widgets/__init__.py"
    # The recipe's label is on the issue and not on the pull request: nothing is left to try, and a person is asked.
    cluster.until(lambda: "entropy:parked" in cluster.labels(pull.number), what="the pull request is parked")
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


def _git(cluster: Cluster, *arguments: str) -> str:
    clone = cluster.folder / "clone"
    if not clone.exists():
        subprocess.run(["git", "clone", "-q", f"{cluster.forge.url}/{NAME}.git", str(clone)], check=True, timeout=30)
    done = subprocess.run(["git", *arguments], cwd=clone, check=True, timeout=30, capture_output=True, text=True)
    return done.stdout
