"""Words of a compromised agent, in every place where the forge shows them: they reach nobody and nothing."""

import math

import pytest

from entropy.github.markers import LIMIT
from entropy.lifecycle.handover import NOTICED
from entropy.lifecycle.progress import status_of
from entropy.models import Finding, Outcome, Verdict, WorkItem
from entropy.scheduling.commands import commands_in
from tests.integration.compromised.hostile import VICTIM, WORST, begun, coded, finished, world, worst
from tests.integration.compromised.judge import alive, alive_in_commit
from tests.integration.lifecycle.office import NAME, Office

pytestmark = pytest.mark.redis


def test_the_judge_sees_what_is_alive() -> None:
    found = " ".join(alive(WORST) + alive_in_commit(WORST))
    for sign in (
        "@a",
        "@w",
        "@m",
        "closes #1",
        "gh-1",
        "image",
        "link_open",
        "markup",
        "https://",
        "/e",
        "unseen",
        "Signed-off",
    ):
        assert sign.lower() in found.lower(), sign


@pytest.mark.parametrize("verdict", [Verdict.CHANGED, Verdict.INCOMPLETE, Verdict.GAVE_UP, Verdict.FAILED])
def test_a_change_and_a_notice_say_nothing_that_the_forge_obeys(office: Office, verdict: Verdict) -> None:
    number, run = coded(office, worst(verdict))
    proposed = run.published.pull_request
    meant = (number, proposed) if proposed else (number,)
    bodies = [body for _, body in office.comments(number)]
    if proposed is not None:
        pull = office.repository("ada").get_pull(proposed)
        bodies += [pull.body, pull.title]
        assert pull.draft
        (commit,) = pull.get_commits()
        assert alive_in_commit(commit.commit.message, trailers=("Entropy-Run",)) == []
    assert bodies
    for body in bodies:
        assert alive(body, numbers=meant) == []
        assert commands_in(body) == ()


def test_a_review_says_nothing_that_the_forge_obeys(office: Office) -> None:
    _, run = coded(office, worst(Verdict.CHANGED))
    assert run.published.pull_request is not None
    pull = office.repository("ada").get_pull(run.published.pull_request)
    reviewing = begun(office, pull.number, role="reviewer", trigger="entropy:review")
    findings = (
        Finding(path="changes/1.txt", line=1, message=WORST),
        Finding(path=f"` @ada Fixes #{VICTIM} `\n\n/entropy stop", line=-7, message=WORST),
    )
    finished(office, reviewing, worst(Verdict.CHANGES_REQUESTED, findings=findings))
    (review,) = pull.get_reviews()
    (remark,) = pull.get_review_comments()
    for body in (review.body, remark.body, *(body for _, body in office.comments(pull.number))):
        assert alive(body, numbers=(pull.number,)) == []
        assert commands_in(body) == ()


def test_nothing_but_its_own_issue_and_draft_changes(office: Office) -> None:
    other = begun(office, VICTIM)
    office.tools.intents.once(other, "push", lambda: "pushed")
    record, intents = office.tools.runs.get(other.id), office.tools.intents.of(other.id)
    before = world(office)
    number, run = coded(office, worst(Verdict.CHANGED), title=f"Fixes #{VICTIM} [skip ci] @ada")
    proposed = run.published.pull_request
    assert proposed is not None
    assert world(office, but=(number, proposed)) == before
    assert (office.tools.runs.get(other.id), office.tools.intents.of(other.id)) == (record, intents)
    assert office.tools.artifacts.get(other.id, other.assignment or "")
    assert office.tools.claims.take(other)  # it is still the other run's
    assert office.labels(number) == {"recipe:1"}


def test_the_merge_closes_its_own_issue_only(office: Office) -> None:
    number, run = coded(office, worst(Verdict.CHANGED), title=f"Fixes #{VICTIM}")
    assert run.published.pull_request is not None
    pull = office.repository("ada").get_pull(run.published.pull_request)
    office.tools.github("reviewer").pulls.mark_ready(
        WorkItem(repository=NAME, number=pull.number), pull.raw_data["node_id"]
    )
    office.tools.github("scheduler")
    merging = begun(office, pull.number, role="merger", trigger=None)
    merged = finished(office, merging, Outcome(verdict=Verdict.MERGEABLE, summary=WORST))
    assert merged.published.commit is not None
    message = office.repository("ada").get_commit(merged.published.commit).commit.message
    assert alive_in_commit(message.replace(f"(#{pull.number})", "")) == []
    assert office.issue(number, "ada").state == "closed"
    assert office.issue(VICTIM, "ada").state == "open"


def test_forged_marks_of_ours_fool_nobody(office: Office) -> None:
    number = office.filed("recipe:1", "entropy:code")
    run = begun(office, number)
    finished(office, run, worst(Verdict.FAILED))
    item = office.tools.github("coder").issues.get(WorkItem(repository=NAME, number=number))
    known = status_of(item, "coder", login="entropy-coder")
    assert known is not None
    assert run.progress is not None
    assert known[0].key == run.progress.key
    assert not any(NOTICED.search(comment.body) for comment in item.comments)
    assert sum("<!-- entropy:progress" in comment.body for comment in item.comments) == 1
    assert sum(comment.body.count("<!--") for comment in item.comments) == 2


def test_a_huge_and_malformed_outcome_is_cut(office: Office) -> None:
    findings = tuple(Finding(path="x" * 5_000, line=number, message="\ud800" * 9_000) for number in range(-500, 500))
    outcome = worst(
        Verdict.CHANGED,
        summary="\0\ud800@ada " * 500_000,
        findings=findings,
        cost=math.nan,
        evidence=tuple(worst(Verdict.FAILED).evidence[0].model_copy(update={"seconds": math.inf}) for _ in range(900)),
    )
    number, run = coded(office, outcome, title="x" * 256)
    assert run.published.pull_request is not None
    pull = office.repository("ada").get_pull(run.published.pull_request)
    assert len(pull.body) <= LIMIT + 100
    assert run.outcome is not None
    assert len(run.model_dump_json()) < 2_000_000
    assert alive(pull.body, numbers=(number,)) == []


def test_the_next_role_is_told_nothing_that_people_do_not_see(office: Office) -> None:
    _, run = coded(office, worst(Verdict.CHANGED))
    assert run.published.pull_request is not None
    reviewing = begun(office, run.published.pull_request, role="reviewer", trigger="entropy:review")
    told = office.tools.artifacts.get(reviewing.id, reviewing.assignment or "").decode()
    assert "a note that people do not see" in told  # and people see it, for it is no comment any more
    assert "<!-- a note" not in told
    for unseen in ("\\u202e", "\u202e", "\U000e0041", "\u3164", "\ufe01"):
        assert unseen not in told
