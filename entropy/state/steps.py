"""The state machine of a run: the one table of legal steps."""

from collections.abc import Mapping

from entropy.errors import IllegalStep
from entropy.models import Run, Stage

STEPS: Mapping[Stage, frozenset[Stage]] = {
    # A stage that cannot succeed leads to `report`, which tells the item; a retry stays where it is.
    Stage.INITIALIZE: frozenset({Stage.INITIALIZE, Stage.CLAIM, Stage.REPORT}),
    Stage.CLAIM: frozenset({Stage.CLAIM, Stage.EXECUTE, Stage.REPORT}),
    Stage.EXECUTE: frozenset({Stage.EXECUTE, Stage.REPORT}),
    Stage.REPORT: frozenset({Stage.REPORT, Stage.CLEANUP}),
    Stage.CLEANUP: frozenset({Stage.CLEANUP, Stage.DONE}),
    Stage.DONE: frozenset(),
}


def check_step(run: Run, to: Stage) -> None:
    """Raise `IllegalStep` unless the table has this step."""
    if to not in STEPS[run.stage]:
        raise IllegalStep(f"Run {run.id} cannot go from {run.stage} to {to}.")
