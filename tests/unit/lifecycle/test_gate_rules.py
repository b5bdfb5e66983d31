"""The rules of the gate that need nothing but the item; nobody is asked."""

import pytest

from entropy.items import Item, PullRequest
from entropy.lifecycle.gate import digest, gate
from entropy.models import Run, Verdict
from entropy.settings import Settings, TrustSettings
from entropy.wiring import Toolbox
from tests.unit.agents.assignments import assignment, pull_request


def look(item: Item, *, role: str = "coder", trigger: str | None = "entropy:code", **trust: bool) -> Run:
    run = Run(id="r1", item=item.reference, role=role, created=0, trigger=trigger)
    return gate(run, item, Toolbox(Settings(trust=TrustSettings(**trust))))


def proposed(pull: PullRequest, *, label: str) -> Item:
    return assignment(pull=pull, labels=(label,)).item


@pytest.mark.parametrize("home", ["mallory/widgets", None])
@pytest.mark.parametrize("role", ["coder", "merger"])
def test_nothing_is_written_on_behalf_of_a_fork(role: str, home: str | None) -> None:
    """The attack: have an agent push or merge what a stranger proposes, also when an operator asks for it."""
    label = {"coder": "entropy:code", "merger": "entropy:merge"}[role]
    item = proposed(pull_request(head_repository=home), label=label)
    for trigger in (label, None):
        for allowed in (False, True):
            outcome = look(item, role=role, trigger=trigger, review_forks=allowed).outcome
            assert outcome is not None
            assert outcome.verdict is Verdict.UNTRUSTED
            assert outcome.summary == (
                "This pull request comes from a fork, and no agent writes on behalf of one. Merge or change it by hand."
            )


def test_a_fork_is_not_even_run_unless_a_setting_says_so() -> None:
    item = proposed(pull_request(head_repository="mallory/widgets"), label="entropy:review")
    outcome = look(item, role="reviewer", trigger="entropy:review").outcome
    assert outcome is not None
    assert "ENTROPY_TRUST__REVIEW_FORKS=true" in outcome.summary


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"open": False}, "acme/widgets#3 is closed."),
        ({"labels": ("bug",)}, "The label entropy:code is gone from acme/widgets#3."),
        ({"labels": ("entropy:code", "entropy:stop")}, "The label entropy:stop is on acme/widgets#3."),
        ({"labels": ("entropy:code", "entropy:paused")}, "The label entropy:paused is on acme/widgets#3."),
    ],
)
def test_what_nobody_asks_for_any_more_is_passed_over(change: dict[str, object], reason: str) -> None:
    item = assignment(labels=("entropy:code",)).item.model_copy(update=change)
    outcome = look(item).outcome
    assert outcome is not None
    assert (outcome.verdict, outcome.summary) == (Verdict.SUPERSEDED, reason)


def test_an_operator_is_obeyed_without_a_look_at_labels() -> None:
    item = assignment(labels=("entropy:stop",)).item
    run = look(item, trigger=None)
    assert (run.outcome, run.approved) == (None, digest(item))


def test_any_change_of_the_text_changes_its_digest() -> None:
    item = assignment().item
    other = [item.model_copy(update=change) for change in ({"title": "x"}, {"body": "x"})]
    assert len({digest(each) for each in (item, *other)}) == 3
    assert digest(item.model_copy(update={"labels": ("x",)})) == digest(item)
