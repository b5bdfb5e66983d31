"""Stage 5: give everything back; runs after success and after failure alike."""

import logging

from entropy.errors import EntropyError, StateUnavailable
from entropy.models import Run, Verdict
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

OTHERS_MATTER = frozenset({Verdict.SUPERSEDED, Verdict.UNTRUSTED, Verdict.HANDED_OVER})
"""What ended a run for reasons outside of it: it says nothing of whether the next one gets anywhere."""


def cleanup(run: Run, tools: Toolbox) -> Run:
    """Release the claim, drop artifacts and intents, and hold the item back if this run moved nothing."""
    tools.claims.release(run)
    tools.artifacts.drop(run.id, but=_wanted(run))
    tools.intents.drop(run.id)
    if run.published.label is not None or run.published.commit is not None:
        tools.holds.clear(run.item, run.role)
    elif run.outcome is not None and run.outcome.verdict in OTHERS_MATTER:
        tools.holds.pause(run.item, run.role)
    else:
        tools.holds.lengthen(run.item, run.role)
    _revoke(run, tools)
    return run


def _wanted(run: Run) -> str | None:
    """The patch that a time limit cut off and that is nowhere else."""
    cut_off = run.outcome is not None and run.outcome.verdict is Verdict.INCOMPLETE and run.published.commit is None
    return run.outcome.patch if run.outcome and cut_off else None


def _revoke(run: Run, tools: Toolbox) -> None:
    """A token that cannot be revoked now is nobody's any more and ends by itself within the hour."""
    try:
        tools.github(run.role).retire(run.item.repository, run.id)
    except StateUnavailable:
        raise
    except EntropyError as error:
        log.warning("token not revoked", extra={"why": str(error)})
