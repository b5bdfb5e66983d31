"""What people read of a run: the pull request, the one comment, the commit."""

import re

from github.PullRequest import PullRequest

from entropy.lifecycle.progress import DATA
from tests.e2e.cluster import CONTROL, SANDBOX, Cluster

FINISHED = re.compile(
    r"^✓ initialize [\d.]+ s · ✓ claim [\d.]+ s · ✓ execute [\d.]+ s · ✓ report · then cleanup$", re.MULTILINE
)


def test_a_proposal_is_a_draft_until_the_tests_of_its_review_are_green(cluster: Cluster) -> None:
    cluster.file_issue("Add headers", "entropy:code", "recipe:header")
    cluster.worker("coder", "coder.control,scheduling", cluster.control())
    cluster.worker("sandbox", SANDBOX, cluster.sandbox())
    cluster.beat()
    cluster.until(lambda: cluster.repository.get_pulls().totalCount, what="it is proposed")
    (pull,) = cluster.repository.get_pulls()
    assert pull.draft
    cluster.worker("reviewer", "reviewer.control", cluster.control())
    cluster.until(lambda: "entropy:merge" in cluster.labels(pull.number), what="it is approved")
    pull.update()
    assert not pull.draft
    assert [review.state for review in pull.get_reviews()] == ["APPROVED"]


def test_one_comment_tells_the_stages_and_the_pull_request_tells_how_it_came_about(cluster: Cluster) -> None:
    issue = cluster.file_issue("Add headers", "entropy:code", "recipe:header")
    signed = {
        "ENTROPY_REPORTS__SIGN_OFF": "true",
        "ENTROPY_REPORTS__CO_AUTHOR": "Ada <ada@example.org>",
        "ENTROPY_REPORTS__DRAFT": "false",
    }
    cluster.worker("control", CONTROL, cluster.control() | signed)
    cluster.worker("sandbox", SANDBOX, cluster.sandbox() | signed)
    cluster.beat()
    cluster.until(lambda: cluster.repository.get_issue(issue.number).state == "closed", what="the issue is closed")
    ((author, body),) = cluster.comments(issue.number)
    assert author == "entropy-coder"
    assert FINISHED.search(body), body
    assert DATA.search(body), "the count stays readable"
    ((reviewer, review),) = cluster.comments(cluster.merged()[0])
    assert (reviewer, bool(FINISHED.search(review))) == ("entropy-reviewer", True)
    pull = cluster.repository.get_pull(cluster.merged()[0])
    (run,) = re.findall(r"celery -A entropy runs show ([0-9a-f]+)", pull.body)
    shown = cluster.celery("runs", "show", run)
    assert '"role": "coder"' in shown.stdout, shown.stderr
    for part in (f"Closes #{issue.number}", "### How it was tested", "engine `recipe`", "took ", "cost \N{EN DASH}"):
        assert part in pull.body
    (commit,) = pull.get_commits()
    trailers = commit.commit.message.strip().rpartition("\n\n")[2].splitlines()
    assert trailers[0] == f"Entropy-Run: {run}"
    assert trailers[1] == "Co-authored-by: Ada <ada@example.org>"
    assert re.fullmatch(r"Signed-off-by: entropy-coder <\d+\+entropy-coder@users\.noreply\..+>", trailers[2])


def cut_off(cluster: Cluster, **more: str) -> int:
    """The number of an issue whose agent runs out of time after it has written a file."""
    short = {"ENTROPY_SANDBOX__COMMAND_TIMEOUT": "2", **more}
    issue = cluster.file_issue("Take long", "entropy:code", "recipe:long")
    cluster.worker("control", CONTROL, cluster.control() | short)
    cluster.worker("sandbox", SANDBOX, cluster.sandbox() | short)
    cluster.beat()
    cluster.until(lambda: "entropy:parked" in cluster.labels(issue.number), what="the issue is parked")
    return issue.number


def test_what_a_time_limit_cuts_off_is_proposed_as_a_draft_that_says_what_is_missing(cluster: Cluster) -> None:
    number = cut_off(cluster)
    (pull,) = cluster.repository.get_pulls()
    assert (pull.draft, pull.title, cluster.labels(pull.number)) == (True, "[incomplete] Take long", {"entropy:parked"})
    assert [file.filename for file in pull.get_files()] == ["widgets/long.py"]
    assert "### What is missing" in pull.body
    assert "was stopped at its time limit" in pull.body
    ((_, body),) = cluster.comments(number)
    assert "**The coder ran out of time.**" in body
    assert f"proposed as #{pull.number}, a draft" in body


def test_what_a_time_limit_cuts_off_is_kept_with_its_run_where_nothing_is_to_be_proposed(cluster: Cluster) -> None:
    number = cut_off(cluster, ENTROPY_REPORTS__PARTIAL="artifact")
    assert cluster.repository.get_pulls(state="all").totalCount == 0
    ((_, body),) = cluster.comments(number)
    (run,) = re.findall(r"celery -A entropy runs patch ([0-9a-f]+)", body)
    cluster.until(lambda: '"stage": "done"' in cluster.celery("runs", "show", run).stdout, what="the run is over")
    assert "+long = True" in cluster.celery("runs", "patch", run).stdout


def proposed(cluster: Cluster, recipe: str) -> PullRequest:
    """A pull request whose commit is made by the forge, if it can be."""
    cluster.file_issue("Do it", "entropy:code", recipe)
    through_api = {"ENTROPY_REPORTS__COMMITS": "api"}
    cluster.worker("coder", "coder.control,scheduling", cluster.control() | through_api)
    cluster.worker("sandbox", SANDBOX, cluster.sandbox() | through_api)
    cluster.beat()
    cluster.until(lambda: handed_on(cluster), what="it is proposed")
    return handed_on(cluster)[0]


def handed_on(cluster: Cluster) -> list[PullRequest]:
    return [pull for pull in cluster.repository.get_pulls() if "entropy:review" in cluster.labels(pull.number)]


def test_a_commit_that_the_forge_makes_is_shown_as_verified(cluster: Cluster) -> None:
    pull = proposed(cluster, "recipe:header")
    (commit,) = pull.get_commits()
    assert commit.raw_data["commit"]["verification"]["verified"]
    assert "Entropy-Run: " in commit.commit.message
    assert [file.filename for file in pull.get_files()] == ["widgets/__init__.py"]


def test_what_the_api_has_no_words_for_is_pushed_and_people_are_told(cluster: Cluster) -> None:
    pull = proposed(cluster, "recipe:executable")
    (commit,) = pull.get_commits()
    assert not commit.raw_data["commit"]["verification"]["verified"]
    ((_, body),) = cluster.comments(1)
    assert "does not show this as verified" in body
