"""The assignment of a run, read back from the artifact store."""

from entropy.errors import IllegalStep
from entropy.items import Assignment
from entropy.models import Run
from entropy.wiring import Toolbox


def assignment_of(run: Run, tools: Toolbox) -> Assignment:
    """What `claim` froze for this run."""
    if run.assignment is None:
        raise IllegalStep(f"Run {run.id} has no assignment yet.")
    return Assignment.model_validate_json(tools.artifacts.get(run.id, run.assignment))
