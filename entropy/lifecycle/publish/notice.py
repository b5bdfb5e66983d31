"""Publishing that nothing was published: a comment that says what happened and what to do, and the parked label."""

from entropy.lifecycle.publish.prose import details, evidence_block
from entropy.models import Outcome, Published, Run, Verdict
from entropy.wiring import Toolbox

PARKED = "entropy:parked"

HEADLINES = {
    Verdict.UNCHANGED: "finished, and nothing differs",
    Verdict.GAVE_UP: "gave up",
    Verdict.REFUSED: "made something that is not published",
    Verdict.FAILED: "could not finish",
    Verdict.CHANGES_REQUESTED: "asks for a person",
}


NEXT_STEP = (
    "This item is parked. When it is ready for another try, remove the label `{parked}` and set `{trigger}` again."
)


def publish_notice(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Comment on the item, and park it."""
    trigger = tools.agents.agent(run.role).trigger
    body = "\n\n".join(
        part
        for part in (
            f"**The {run.role} {HEADLINES[outcome.verdict]}.**",
            outcome.summary,
            evidence_block(outcome.evidence),
            NEXT_STEP.format(parked=PARKED, trigger=trigger),
            details(run, outcome),
        )
        if part
    )
    tools.runs.guard(run)
    tools.github(run.role).issues.ensure_comment(run.item, marker=f"entropy:notice:{run.role}", body=body)
    return Published(refusal=outcome.summary, label=PARKED)
