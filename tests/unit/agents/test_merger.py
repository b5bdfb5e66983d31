"""The merger's decision, over all states that a pull request can be in."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entropy.agents.base import NoSandbox
from entropy.agents.roles.merger import Merger
from entropy.items import PullRequest, ReviewThread
from entropy.models import Outcome, Verdict
from tests.unit.agents.assignments import HEAD, assignment, check, pull_request, review

OLD = "2" * 40


def decide(pull: PullRequest | None) -> Outcome:
    return Merger().perform(assignment(pull=pull), NoSandbox())


def test_an_issue_is_not_merged() -> None:
    assert decide(None).verdict is Verdict.GAVE_UP


def test_an_approved_green_pull_request_is_mergeable() -> None:
    outcome = decide(pull_request())
    assert outcome.verdict is Verdict.MERGEABLE
    assert "`rita`" in outcome.summary


def test_every_combination_of_states() -> None:
    """Only one of all combinations is mergeable, and the graver obstacle is the one that is told."""
    grave_first = {
        "merged": ({"merged": True, "open": False}, Verdict.SUPERSEDED, "merged already"),
        "closed": ({"open": False}, Verdict.GAVE_UP, "closed"),
        "conflict": ({"mergeable": False}, Verdict.GAVE_UP, "conflicts with base `main`"),
        "failing": ({"checks": (check("success"), check("failure", "lint"))}, Verdict.GAVE_UP, "`lint`"),
        "draft": ({"draft": True}, Verdict.WAITING, "draft"),
        "unapproved": ({"reviews": ()}, Verdict.WAITING, "approval"),
        "pending": ({"checks": (check("success"), check("pending", "ci"))}, Verdict.WAITING, "`ci`"),
        "unknown": ({"mergeable": None}, Verdict.WAITING, "find out"),
    }
    exclusive = ({"conflict", "unknown"}, {"failing", "pending"})
    for present in itertools.product((False, True), repeat=len(grave_first)):
        names = [name for name, there in zip(grave_first, present, strict=True) if there]
        if any(pair <= set(names) for pair in exclusive):
            continue
        changes: dict[str, object] = {}
        for name in reversed(names):
            changes |= grave_first[name][0]
        outcome = decide(pull_request(**changes))
        if names:
            _, verdict, words = grave_first[names[0]]
            assert (outcome.verdict, words in outcome.summary) == (verdict, True), (names, outcome.summary)
        else:
            assert outcome.verdict is Verdict.MERGEABLE


@pytest.mark.parametrize(
    ("reviews", "verdict"),
    [
        pytest.param((review("APPROVED", "carl"),), Verdict.WAITING, id="by the author"),
        pytest.param((review("APPROVED", "Carl"),), Verdict.WAITING, id="by the author, written otherwise"),
        pytest.param((review("APPROVED", commit=OLD),), Verdict.WAITING, id="of an older head"),
        pytest.param((review("APPROVED", commit=None),), Verdict.WAITING, id="of a commit that is gone"),
        pytest.param((review("COMMENTED"),), Verdict.WAITING, id="only a comment"),
        pytest.param((review("PENDING"),), Verdict.WAITING, id="not submitted"),
        pytest.param((review("APPROVED"), review("DISMISSED")), Verdict.WAITING, id="dismissed"),
        pytest.param((review("APPROVED"), review("CHANGES_REQUESTED")), Verdict.WAITING, id="taken back"),
        pytest.param((review("APPROVED"), review("CHANGES_REQUESTED", "ann")), Verdict.WAITING, id="somebody objects"),
        pytest.param((review("CHANGES_REQUESTED", "ann"), review("APPROVED")), Verdict.WAITING, id="somebody objected"),
        pytest.param((review("CHANGES_REQUESTED"), review("APPROVED")), Verdict.MERGEABLE, id="changed their mind"),
        pytest.param((review("APPROVED"), review("COMMENTED")), Verdict.MERGEABLE, id="a comment takes nothing back"),
        pytest.param(
            (review("CHANGES_REQUESTED", commit=OLD), review("DISMISSED", commit=OLD), review("APPROVED", "ann")),
            Verdict.MERGEABLE,
            id="the objection is dismissed",
        ),
        pytest.param((review("APPROVED", trusted=False),), Verdict.WAITING, id="by a stranger"),
        pytest.param(
            (review("CHANGES_REQUESTED", "ann", trusted=False), review("APPROVED")),
            Verdict.MERGEABLE,
            id="a stranger's objection holds up nothing",
        ),
    ],
)
def test_reviews(reviews: tuple[object, ...], verdict: Verdict) -> None:
    assert decide(pull_request(reviews=reviews)).verdict is verdict


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        pytest.param((), Verdict.WAITING, id="none"),
        pytest.param((check("success", "ci"),), Verdict.WAITING, id="only another"),
        pytest.param((check("pending"),), Verdict.WAITING, id="ours is running"),
        pytest.param((check("failure"),), Verdict.GAVE_UP, id="ours failed"),
        pytest.param((check("success"), check("failure")), Verdict.GAVE_UP, id="two of one name"),
        pytest.param((check("success"), check("success", "ci")), Verdict.MERGEABLE, id="all green"),
    ],
)
def test_checks(checks: tuple[object, ...], verdict: Verdict) -> None:
    assert decide(pull_request(checks=checks)).verdict is verdict


PEOPLE = st.sampled_from(["carl", "rita", "ann"])
STATES = st.sampled_from(["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"])
REVIEWS = st.lists(st.builds(review, STATES, PEOPLE, commit=st.sampled_from([HEAD, OLD, None])), max_size=6)
CHECKS = st.lists(
    st.builds(check, st.sampled_from(["success", "failure", "pending"]), st.sampled_from(["entropy/tests", "ci"])),
    max_size=4,
)


@given(
    reviews=REVIEWS,
    checks=CHECKS,
    mergeable=st.sampled_from([True, False, None]),
    flags=st.fixed_dictionaries({name: st.booleans() for name in ("open", "draft", "merged")}),
)
def test_what_is_mergeable_holds_every_condition(
    reviews: list[object], checks: list[object], mergeable: bool | None, flags: dict[str, bool]
) -> None:
    pull = pull_request(reviews=tuple(reviews), checks=tuple(checks), mergeable=mergeable, **flags)
    verdict = decide(pull).verdict
    last = {r.author: r for r in pull.reviews if r.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")}
    conditions = (
        pull.open,
        not pull.draft,
        not pull.merged,
        pull.mergeable is True,
        all(c.state == "success" for c in pull.checks),
        any(c.name == "entropy/tests" for c in pull.checks),
        all(r.state != "CHANGES_REQUESTED" for r in last.values()),
        any(a != "carl" and (r.state, r.commit) == ("APPROVED", HEAD) for a, r in last.items()),
    )
    assert (verdict is Verdict.MERGEABLE) == all(conditions)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"mergeable": False}, id="conflict"),
        pytest.param({"checks": (check("success"), check("failure", "lint"))}, id="red check"),
        pytest.param({"reviews": (review("APPROVED"), review("CHANGES_REQUESTED", "ann"))}, id="asked at this head"),
    ],
)
def test_what_an_agent_can_put_right_goes_back_to_it_and_not_to_a_person(changes: dict[str, object]) -> None:
    assert decide(pull_request(**changes)).verdict is not Verdict.OUTDATED
    assert decide(pull_request(head_branch="entropy/issue-3-2", **changes)).verdict is Verdict.OUTDATED


def test_a_thread_without_an_answer_holds_an_approved_pull_request_back() -> None:
    thread = ReviewThread(id="T1", path="basket.py", line=2, resolved=False, first=1, comments=())
    unanswered = assignment(pull=pull_request()).model_copy(update={"threads": (thread,)})
    outcome = Merger().perform(unanswered, NoSandbox())
    assert (outcome.verdict, "`basket.py`" in outcome.summary) == (Verdict.OUTDATED, True)
