"""Stage 5: give everything back; runs after success and after failure alike."""

from entropy.models import Run, Verdict
from entropy.wiring import Toolbox

MOVED = frozenset(Verdict) - {Verdict.WAITING, Verdict.SUPERSEDED}


def cleanup(run: Run, tools: Toolbox) -> Run:
    """Release the claim, drop the artifacts, and hold the item back if this run moved nothing."""
    tools.claims.release(run)
    tools.artifacts.drop(run.id)
    if run.outcome is not None and run.outcome.verdict in MOVED and run.published.refusal is None:
        tools.holds.clear(run.item, run.role)
    else:
        tools.holds.lengthen(run.item, run.role)
    return run
