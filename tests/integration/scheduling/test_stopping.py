"""What a person does to an item ends what agents do there; what a person pushes is theirs."""

from pathlib import Path

import pytest

from entropy.items import Item
from entropy.lifecycle.handover import handover, tell
from entropy.models import Run, Stage, Verdict, WorkItem
from entropy.scheduling.attention import attend
from entropy.scheduling.oversight import look_after
from tests.integration.lifecycle.office import CODE, NAME, RECIPE, Office

pytestmark = pytest.mark.redis

BRANCH = "entropy/issue-1"


def item(number: int) -> WorkItem:
    return WorkItem(repository=NAME, number=number)


def verdict(office: Office, run: Run) -> Verdict | None:
    outcome = office.tools.runs.get(run.id).outcome
    return outcome.verdict if outcome else None


def test_the_label_stop_ends_a_run(office: Office) -> None:
    run = office.admitted(number := office.filed(RECIPE, CODE))
    attend(item(number), office.tools)
    assert verdict(office, run) is None
    office.issue(number, "trudy").add_to_labels("entropy:stop")
    attend(item(number), office.tools)
    attend(item(number), office.tools)
    stopped = office.tools.runs.get(run.id)
    assert (stopped.stage, stopped.generation, verdict(office, run)) == (Stage.REPORT, 2, Verdict.CANCELLED)
    office.told(stopped)
    ((_, body),) = office.comments(number)
    assert "The label `entropy:stop` was set. Agents leave this alone until it is gone." in body
    assert office.labels(number) == {RECIPE, "entropy:stop"}


def test_closing_ends_a_run(office: Office) -> None:
    run = office.admitted(number := office.filed(RECIPE, CODE))
    office.issue(number, "ada").edit(state="closed")
    attend(item(number), office.tools)
    office.told(office.tools.runs.get(run.id))
    ((_, body),) = office.comments(number)
    assert "This issue was closed." in body


def test_what_has_begun_to_publish_is_not_torn_apart(office: Office) -> None:
    run = office.admitted(number := office.filed(RECIPE, CODE))
    office.tools.runs.intervene(run, run.evolve(stage=Stage.REPORT))
    office.issue(number, "ada").edit(state="closed")
    attend(item(number), office.tools)
    assert verdict(office, run) is None


def test_items_at_work_are_looked_after_and_others_are_not(office: Office) -> None:
    run = office.admitted(number := office.filed(RECIPE, CODE))
    other = office.filed(RECIPE)
    office.issue(other, "ada").create_comment("/entropy pause")
    look_after(office.tools)
    office.issue(number, "ada").add_to_labels("entropy:stop")
    look_after(office.tools)
    assert verdict(office, run) is Verdict.CANCELLED
    assert office.labels(other) == {RECIPE}


def proposal(office: Office, tmp_path: Path, *, author: str = "entropy-coder") -> tuple[int, str]:
    """A pull request of the coder's, and its head."""
    head = pushed(office, tmp_path, author)
    with office.tools.github("coder") as coder:
        number = coder.pulls.ensure(NAME, branch=BRANCH, base="main", title="Change", body="Please.")
    return number, head


def pushed(office: Office, tmp_path: Path, author: str, *, committer: str | None = None) -> str:
    """A new commit on the coder's branch, pushed with ordinary git."""
    return office.push(BRANCH, author=author, committer=committer or author, folder=tmp_path)


def looked(office: Office, number: int) -> Item:
    return attend(item(number), office.tools)


def test_an_agents_own_pushes_are_its_own(office: Office, tmp_path: Path) -> None:
    number, _ = proposal(office, tmp_path)
    pushed(office, tmp_path, "entropy-coder")
    looked(office, number)
    assert "entropy:handed-over" not in office.labels(number)


@pytest.mark.parametrize(
    ("author", "committer", "name"),
    [("wanda", "wanda", "`wanda`"), ("entropy-coder", "wanda", "`wanda`"), ("stranger@example.org", "", "Somebody")],
)
def test_a_persons_push_to_an_agents_branch_hands_it_over(
    office: Office, tmp_path: Path, author: str, committer: str, name: str
) -> None:
    number, _ = proposal(office, tmp_path)
    run = office.admitted(number)
    head = pushed(office, tmp_path, author, committer=committer or None)
    looked(office, number)
    looked(office, number)
    assert verdict(office, run) is Verdict.HANDED_OVER
    assert "entropy:handed-over" in office.labels(number)
    ((speaker, body),) = office.comments(number)
    assert speaker == "entropy-coder"
    assert f"{name} pushed {head[:12]} to this branch, so it is theirs now and agents leave it alone." in body
    assert "`/entropy resume`" in body
    # At work again only when told to, and until the next push.
    office.issue(number, "wanda").create_comment("/entropy resume")
    looked(office, number)
    looked(office, number)
    assert "entropy:handed-over" not in office.labels(number)
    pushed(office, tmp_path, "wanda")
    looked(office, number)
    assert "entropy:handed-over" in office.labels(number)
    assert len([body for _, body in office.comments(number) if "entropy:handover" in body]) == 1


def test_a_persons_push_back_to_what_an_agent_once_made_hands_it_over_each_time(office: Office, tmp_path: Path) -> None:
    number, first = proposal(office, tmp_path)
    second = pushed(office, tmp_path, "entropy-coder")
    looked(office, number)
    assert office.labels(number) == set()
    office.push_back(BRANCH, first, by="wanda", folder=tmp_path)
    looked(office, number)
    looked(office, number)
    assert office.labels(number) == {"entropy:handed-over"}
    ((_, body),) = office.comments(number)
    assert f"`wanda` pushed {first[:12]} to this branch, so it is theirs now" in body
    office.issue(number, "wanda").create_comment("/entropy resume")
    looked(office, number)
    looked(office, number)
    assert office.labels(number) == set(), "it was given back"
    office.push_back(BRANCH, second, by="wanda", folder=tmp_path)
    aged(office, number)
    looked(office, number)
    assert office.labels(number) == set(), "nothing is lost by going on to where the agent was"
    office.push_back(BRANCH, first, by="wanda", folder=tmp_path)
    looked(office, number)
    looked(office, number)
    assert office.labels(number) == {"entropy:handed-over"}
    assert len([body for _, body in office.comments(number) if "entropy:handover" in body]) == 1


def aged(office: Office, number: int) -> None:
    """What is said there was said a minute ago: the forge tells time in seconds."""
    with office.forge.store.write() as db:
        db.execute(
            "UPDATE comments SET updated = strftime('%Y-%m-%dT%H:%M:%SZ', updated, '-60 seconds')"
            " WHERE issue_id IN (SELECT id FROM issues WHERE number = ?)",
            (number,),
        )


def test_an_agents_own_push_by_force_hands_nothing_over(office: Office, tmp_path: Path) -> None:
    number, first = proposal(office, tmp_path)
    pushed(office, tmp_path, "entropy-coder")
    office.push_back(BRANCH, first, by="entropy-coder", folder=tmp_path)
    looked(office, number)
    assert office.labels(number) == set()


def test_a_run_that_finds_the_branch_handed_over_says_so_and_keeps_its_label(office: Office, tmp_path: Path) -> None:
    number, _ = proposal(office, tmp_path)
    pushed(office, tmp_path, "wanda")
    office.issue(number, "ada").add_to_labels("entropy:review")
    run = office.initialized(number, role="reviewer", trigger="entropy:review")
    assert run.outcome is not None
    assert run.outcome.verdict is Verdict.HANDED_OVER
    office.told(run)
    assert office.labels(number) == {"entropy:review", "entropy:handed-over"}
    ((speaker, body),) = office.comments(number)
    assert (speaker, "`wanda` pushed" in body) == ("entropy-reviewer", True)
    looked(office, number)
    assert len(office.comments(number)) == 1


def test_two_roles_that_see_it_at_once_say_it_once(office: Office, tmp_path: Path) -> None:
    number, _ = proposal(office, tmp_path)
    pushed(office, tmp_path, "wanda")
    seen = office.tools.github("scheduler").issues.get(item(number))
    for role in ("reviewer", "coder"):  # neither has seen what the other wrote
        found = handover(seen, role, office.tools)
        assert found is not None
        tell(seen, found, role, office.tools)
    assert [speaker for speaker, _ in office.comments(number)] == ["entropy-reviewer"]


def test_a_persons_own_branch_is_not_handed_over(office: Office, tmp_path: Path) -> None:
    office.push("mine", author="wanda", committer="wanda", folder=tmp_path)
    pull = office.repository("wanda").create_pull(base="main", head="mine", title="Mine", body="")
    looked(office, pull.number)
    assert office.labels(pull.number) == set()
    assert office.comments(pull.number) == []
