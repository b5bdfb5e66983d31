"""What becomes of a run whose stage broke: words for people, and always the way to cleanup."""

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from entropy.errors import ForgeRefused, PolicyViolation
from entropy.lifecycle.task import broken, failed, note_of
from entropy.logging.redaction import Redaction
from entropy.models import Outcome, Run, Stage, Verdict, WorkItem

RUN = Run(id="r1", item=WorkItem(repository="acme/widgets", number=7), role="coder", created=0)


@pytest.mark.parametrize("stage", [Stage.INITIALIZE, Stage.CLAIM, Stage.EXECUTE])
@pytest.mark.parametrize(
    ("error", "verdict", "words"),
    [
        (ForgeRefused("The token may not."), Verdict.FAILED, "The token may not."),
        (PolicyViolation("Too many files."), Verdict.REFUSED, "Too many files."),
        (SoftTimeLimitExceeded(), Verdict.FAILED, "did not end within its time limit"),
        (KeyError("s3cr3t"), Verdict.FAILED, "Something unexpected went wrong in"),
    ],
)
def test_before_report_it_becomes_an_outcome(stage: Stage, error: Exception, verdict: Verdict, words: str) -> None:
    after = broken(RUN.evolve(stage=stage), error)
    assert after.stage is Stage.REPORT
    assert after.outcome is not None
    assert after.outcome.verdict is verdict
    assert words in after.outcome.summary
    assert "s3cr3t" not in after.outcome.summary


@pytest.mark.parametrize("stage", [Stage.REPORT, Stage.CLEANUP])
def test_from_report_on_it_is_noted_and_the_run_goes_on(stage: Stage) -> None:
    after = failed(RUN.evolve(stage=stage), "The forge said no.")
    assert after.stage is stage
    assert after.outcome is None
    assert after.published.refusal == "The forge said no."


def test_neither_the_history_nor_an_outcome_holds_a_secret() -> None:
    secret = "model-key-0123456789-of-a-test"
    Redaction.register(secret)
    said = Outcome(verdict=Verdict.GAVE_UP, summary=f"It asked with {secret}, and {secret[::-1]}.")
    for after in (
        RUN.evolve(outcome=said),
        failed(RUN, said.summary),
        failed(RUN.evolve(stage=Stage.REPORT), said.summary),
    ):
        note = note_of(RUN.evolve(stage=after.stage), after)
        assert "a secret of this installation" in note
        assert not any(spelt in note for spelt in (secret, secret[::-1]))
    assert secret not in failed(RUN, said.summary).model_dump_json()
