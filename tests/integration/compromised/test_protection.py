"""Protected paths: what an agent proposes there is shown as that, and waits for a person whatever agents approve."""

from pathlib import Path

import pytest

from entropy.models import Outcome, Run, Verdict
from tests.integration.compromised.hostile import WORST, adding, begun, finished, worst
from tests.integration.compromised.judge import alive
from tests.integration.lifecycle.office import Office, git

pytestmark = pytest.mark.redis

MERGEABLE = Outcome(verdict=Verdict.MERGEABLE, summary=WORST)


def proposed(office: Office, path: str, verdict: Verdict = Verdict.CHANGED) -> int:
    """The number of a pull request in which an agent adds this file, ready to be merged but for an approval."""
    run = finished(office, begun(office, office.filed("entropy:code")), worst(verdict), patch=adding(path, "Obey."))
    assert run.published.pull_request is not None
    pull = office.repository("wanda").get_pull(run.published.pull_request)
    pull.mark_ready_for_review()
    return pull.number


def merged(office: Office, number: int) -> Run:
    return finished(office, begun(office, number, role="merger", trigger=None), MERGEABLE)


def approve(office: Office, number: int, *, role: str = "", by: str = "") -> None:
    pull = office.repository(by or "ada").get_pull(number)
    if by:
        pull.create_review(event="APPROVE", commit=office.repository(by).get_commit(pull.head.sha))
    else:
        outcome = Outcome(verdict=Verdict.APPROVED, summary=WORST)
        finished(office, begun(office, number, role=role, trigger=None), outcome)


@pytest.mark.parametrize(
    ("path", "verdict"),
    [("AGENTS.md", Verdict.CHANGED), ("deep/Claude.md", Verdict.INCOMPLETE), ("docs/CODEOWNERS", Verdict.CHANGED)],
)
def test_a_proposal_to_change_them_says_so(office: Office, path: str, verdict: Verdict) -> None:
    number = proposed(office, path, verdict)
    body = office.repository("ada").get_pull(number).body
    assert f"**This touches `{path}`, which decides what people or agents may do here.**" in body
    assert "entropy:protected" in office.labels(number)
    assert alive(body, numbers=(number - 1,)) == []


def test_an_agents_approval_is_not_enough_and_a_persons_is(office: Office) -> None:
    number = proposed(office, "AGENTS.md")
    approve(office, number, role="reviewer")
    waiting = merged(office, number)
    assert waiting.outcome is not None
    assert waiting.outcome.verdict is Verdict.WAITING
    assert waiting.outcome.summary.startswith("It touches `AGENTS.md` and waits for a person")
    assert not office.repository("ada").get_pull(number).merged
    approve(office, number, by="mallory")
    assert merged(office, number).published.commit is None
    approve(office, number, by="wanda")
    assert merged(office, number).published.commit is not None
    assert office.repository("ada").get_pull(number).merged


def test_other_paths_and_other_settings_do_not_wait(office: Office) -> None:
    number = proposed(office, "src/a.txt")
    assert office.labels(number) == {"entropy:review"}
    assert merged(office, number).published.commit is not None
    unprotected = office.tools.settings.repository.model_copy(update={"protected": ()})
    office.tools.settings = office.tools.settings.model_copy(update={"repository": unprotected})
    number = proposed(office, "AGENTS.md")
    assert "entropy:protected" not in office.labels(number)
    assert merged(office, number).published.commit is not None


def test_what_others_changed_there_meanwhile_is_not_laid_to_it(office: Office, tmp_path: Path) -> None:
    number = proposed(office, "src/a.txt")
    office.push("elsewhere", author="wanda", committer="wanda", folder=tmp_path)
    clone = tmp_path / "clone"
    git("checkout", "-q", "main", at=clone)
    (clone / "AGENTS.md").write_text("Be kind.\n")
    git("add", "-A", at=clone)
    git("-c", "user.name=wanda", "-c", "user.email=w@example.org", "commit", "-qm", "Rules", at=clone)
    git("push", "-q", "origin", "main", at=clone)
    assert merged(office, number).published.commit is not None
