"""Pull requests, reviews, checks and merges against the embedded forge."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from entropy.errors import ForgeConflict, ForgeRefused
from entropy.items import Check, PullRequest
from entropy.models import Finding, Verdict, WorkItem
from tests.integration.github.world import LINES, REPOSITORY, World


def read(world: World, item: WorkItem) -> PullRequest:
    with world.acting_as("owner") as github:
        pull = github.issues.get(item).pull_request
    assert pull is not None
    return pull


def test_a_pull_request_that_is_ensured_again_is_the_same(world: World) -> None:
    item, head = world.pull("again", **{"again.txt": "x"})
    assert world.pull("again", **{"again.txt": "y"})[0] == item
    pull = read(world, item)
    assert (pull.number, pull.author, pull.head_branch, pull.base_branch) == (item.number, "coder", "again", "main")
    assert (pull.open, pull.merged, pull.draft, pull.mergeable) == (True, False, False, True)
    assert (pull.head_repository, pull.reviews, pull.checks) == (REPOSITORY, (), ())
    assert pull.head_commit != head


def test_eight_at_once_open_one_pull_request(world: World) -> None:
    world.change("race", **{"race.txt": "x"})

    def ensure(_: int) -> int:
        with world.acting_as("coder") as github:
            return github.pulls.ensure(REPOSITORY, branch="race", base="main", title="Race", body="b")

    with ThreadPoolExecutor(8) as pool:
        numbers = set(pool.map(ensure, range(8)))
    assert len(numbers) == 1
    with world.acting_as("coder") as github:
        assert [pull.number for pull in github.pulls.find(REPOSITORY, branch="race")] == [*numbers]


def test_a_closed_pull_request_is_found_and_not_reopened(world: World) -> None:
    item, _ = world.pull("closed", **{"closed.txt": "x"})
    world.person("owner", "PATCH", f"/pulls/{item.number}", {"state": "closed"})
    with world.acting_as("coder") as github:
        (old,) = github.pulls.find(REPOSITORY, branch="closed")
        assert (old.number, old.open, old.merged) == (item.number, False, False)
        assert github.pulls.ensure(REPOSITORY, branch="closed", base="main", title="t", body="b") > item.number


def test_no_branch_no_pull_request(world: World) -> None:
    with world.acting_as("coder") as github:
        assert github.pulls.find(REPOSITORY, branch="nothing") == ()
        with pytest.raises(ForgeRefused, match=r"^Could not open a pull request of acme/widgets:nothing: "):
            github.pulls.ensure(REPOSITORY, branch="nothing", base="main", title="t", body="b")


def test_a_review_says_each_thing_at_its_line_or_in_its_body(world: World) -> None:
    item, head = world.pull("review", **{"text.txt": LINES.replace("line 5\n", "line five\n")})
    findings = (
        Finding(path="text.txt", line=5, message="Not a number."),
        Finding(path="text.txt", line=30, message="What about this?"),
        Finding(path="other.txt", line=1, message="And this?"),
    )
    for _ in range(2):
        with world.acting_as("reviewer") as github:
            github.reviews.ensure(
                item,
                marker="entropy:review:1",
                commit=head,
                verdict=Verdict.CHANGES_REQUESTED,
                body="Please change.",
                findings=findings,
            )
    (review,) = read(world, item).reviews
    assert (review.author, review.state, review.commit) == ("reviewer", "CHANGES_REQUESTED", head)
    assert review.findings == findings[:1]
    assert review.body == (
        "<!-- entropy:review:1 -->\nPlease change.\n\nRemarks at lines that the diff does not show:\n\n"
        "- `text.txt` line 30: What about this?\n- `other.txt` line 1: And this?"
    )


def test_reviews_are_read_in_their_order(world: World) -> None:
    item, head = world.pull("decide", **{"decide.txt": "x\n"})

    def review(login: str, marker: str, verdict: Verdict, commit: str) -> None:
        with world.acting_as(login) as github:
            github.reviews.ensure(item, marker=marker, commit=commit, verdict=verdict, body=marker)

    review("reviewer", "one", Verdict.CHANGES_REQUESTED, head)
    second = world.change("decide", **{"decide.txt": "y\n"})
    review("owner", "two", Verdict.CHANGES_REQUESTED, second)
    review("reviewer", "one", Verdict.APPROVED, second)
    review("reviewer", "three", Verdict.GAVE_UP, second)
    reviews = [(review.author, review.state, review.commit) for review in read(world, item).reviews]
    assert reviews == [
        ("reviewer", "CHANGES_REQUESTED", head),
        ("owner", "CHANGES_REQUESTED", second),
        ("reviewer", "APPROVED", second),
        ("reviewer", "COMMENTED", second),
    ]


def test_eight_at_once_leave_one_review_and_nothing_unfinished(world: World) -> None:
    item, head = world.pull("eyes", **{"eyes.txt": "x\n"})

    def review(_: int) -> None:
        with world.acting_as("reviewer") as github:
            github.reviews.ensure(item, marker="entropy:review:1", commit=head, verdict=Verdict.APPROVED, body="Good.")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(review, range(8)))
    assert [review.state for review in read(world, item).reviews] == ["APPROVED"]
    assert [row["state"] for row in world.person("reviewer", "GET", f"/pulls/{item.number}/reviews")] == ["APPROVED"]


def test_a_review_of_a_process_that_stood_still_is_finished_or_dropped_and_never_shown_twice(world: World) -> None:
    item, head = world.pull("late", **{"late.txt": "x\n"})
    path, body = f"/pulls/{item.number}/reviews", "<!-- entropy:review:1 -->\nGood."

    def review() -> list[str]:
        with world.acting_as("reviewer") as github:
            github.reviews.ensure(item, marker="entropy:review:1", commit=head, verdict=Verdict.APPROVED, body="Good.")
        return [row["state"] for row in world.person("reviewer", "GET", path)]

    world.person("reviewer", "POST", path, {"commit_id": head, "body": body})
    assert read(world, item).reviews == ()
    assert review() == ["APPROVED"]
    world.person("reviewer", "POST", path, {"commit_id": head, "body": body})
    assert review() == ["APPROVED"]


def test_nobody_approves_their_own_work(world: World) -> None:
    item, head = world.pull("own", **{"own.txt": "x"})
    with world.acting_as("coder") as github, pytest.raises(ForgeRefused, match=r"^Could not review acme/widgets#"):
        github.reviews.ensure(item, marker="own", commit=head, verdict=Verdict.APPROVED, body="Mine is good.")


def test_checks_are_statuses_and_check_runs_together(world: World) -> None:
    item, head = world.pull("checks", **{"checks.txt": "x"})
    with world.acting_as("reviewer") as github:
        for state in ("pending", "failure"):
            github.reviews.set_status(
                REPOSITORY, commit=head, context="entropy/tests", state=state, description="Two tests fail. " * 20
            )
    world.person("owner", "POST", f"/statuses/{head}", {"state": "error", "context": "other"})
    for name, run in {
        "build": {"status": "in_progress"},
        "lint": {"status": "completed", "conclusion": "neutral"},
        "types": {"status": "completed", "conclusion": "timed_out"},
    }.items():
        world.person("owner", "POST", "/check-runs", {"name": name, "head_sha": head, **run})
    assert read(world, item).checks == (
        Check(name="build", state="pending"),
        Check(name="entropy/tests", state="failure"),
        Check(name="lint", state="success"),
        Check(name="other", state="failure"),
        Check(name="types", state="failure"),
    )


def test_a_stale_head_is_not_merged(world: World) -> None:
    item, head = world.pull("stale", **{"stale.txt": "x"})
    world.change("stale", **{"stale.txt": "y"})
    with world.acting_as("owner") as github, pytest.raises(ForgeConflict, match=r"^Could not merge acme/widgets#"):
        github.pulls.merge(item, head=head, title="Merge", message="It is approved.")
    assert not read(world, item).merged


def test_a_merge_that_is_done_already_is_a_success(world: World) -> None:
    item, head = world.pull("merge", **{"merge.txt": "x"})
    with world.acting_as("owner") as github:
        merges = {github.pulls.merge(item, head=head, title="Merge", message="It is approved.") for _ in range(2)}
        with pytest.raises(ForgeConflict):
            github.pulls.merge(item, head="f" * 40, title="Merge", message="It is approved.")
        assert github.pulls.ensure(REPOSITORY, branch="merge", base="main", title="t", body="b") == item.number
    pull = read(world, item)
    assert (len(merges), pull.merged, pull.open) == (1, True, False)


def test_a_conflict_is_not_merged(world: World) -> None:
    item, head = world.pull("left", **{"text.txt": LINES.replace("line 9\n", "left\n")})
    other, other_head = world.pull("right", **{"text.txt": LINES.replace("line 9\n", "right\n")})
    with world.acting_as("owner") as github:
        github.pulls.merge(other, head=other_head, title="Merge", message="m")
        with pytest.raises(ForgeConflict):
            github.pulls.merge(item, head=head, title="Merge", message="m")
    assert read(world, item).mergeable is False


def test_a_reader_may_not_merge(world: World) -> None:
    item, head = world.pull("guarded", **{"guarded.txt": "x"})
    with world.acting_as("stranger") as github, pytest.raises(ForgeRefused):
        github.pulls.merge(item, head=head, title="Merge", message="m")
    assert not read(world, item).merged
