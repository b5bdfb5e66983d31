"""Publishing that nothing was published: what happened and what to do, in the role's comment; then park or not."""

from entropy.lifecycle.publish.prose import details, evidence_block, history_block
from entropy.lifecycle.publish.status import say
from entropy.models import Outcome, Progress, Published, Run, Verdict
from entropy.wiring import Toolbox

PARKED = "entropy:parked"

HEADLINES = {
    Verdict.UNCHANGED: "finished, and nothing differs",
    Verdict.GAVE_UP: "gave up",
    Verdict.REFUSED: "made something that is not published",
    Verdict.FAILED: "could not finish",
    Verdict.CHANGES_REQUESTED: "asks for a person",
    Verdict.PARKED: "stops here",
    Verdict.CANCELLED: "was stopped",
}

WORTH_ANOTHER_TRY = frozenset({Verdict.UNCHANGED, Verdict.FAILED})
"""What may come out differently the next time, up to the cap; everything else goes to a person at once."""

PARKED_SENTENCE = (
    "This item is parked. When it is ready for another try, remove the label `{parked}` and set `{trigger}` again."
)
AGAIN_SENTENCE = "This was try {count} of {cap} for this item as it stands; it will be tried again."


def publish_notice(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Say it on the item; park the item unless another try is due."""
    again = _again(run, outcome, tools)
    cancelled = outcome.verdict is Verdict.CANCELLED
    parts = (
        f"**The {run.role} {HEADLINES[outcome.verdict]}.**",
        outcome.summary,
        evidence_block(outcome.evidence),
        history_block(run) if outcome.verdict is Verdict.FAILED else "",
        "" if cancelled else _next_step(run, tools, again=again),
        details(run, outcome),
    )
    # Whoever sets the label again asks for fresh tries: parking takes the count back.
    progress = run.progress if again else run.progress and Progress(key=run.progress.key, count=0)
    say(run, tools, "\n\n".join(part for part in parts if part), intent="notice", progress=progress)
    return Published(refusal=outcome.summary, label=None if again or cancelled else PARKED, keeps_trigger=again)


def _again(run: Run, outcome: Outcome, tools: Toolbox) -> bool:
    counted = run.progress is not None and run.progress.count < tools.settings.scheduling.max_tries
    return counted and outcome.verdict in WORTH_ANOTHER_TRY


def _next_step(run: Run, tools: Toolbox, *, again: bool) -> str:
    if again and run.progress is not None:
        return AGAIN_SENTENCE.format(count=run.progress.count, cap=tools.settings.scheduling.max_tries)
    return PARKED_SENTENCE.format(parked=PARKED, trigger=tools.agents.agent(run.role).trigger)
