"""What an operator may do with a run: cancel it, park it, try it again."""

from entropy.errors import IllegalStep
from entropy.lifecycle.conclude import conclude
from entropy.lifecycle.starting import dispatch, start
from entropy.models import Run, Stage, Verdict
from entropy.wiring import Toolbox


def cancel(run_id: str, tools: Toolbox) -> Run:
    """End a run: its worker is stopped, its label taken away, its claim given back."""
    return _conclude(run_id, Verdict.CANCELLED, "An operator cancelled this run.", tools)


def park(run_id: str, tools: Toolbox) -> Run:
    """End a run and hand its item to a person."""
    return _conclude(run_id, Verdict.PARKED, "An operator parked this item.", tools)


def retry(run_id: str, tools: Toolbox) -> Run:
    """Send an unfinished run again now, from the stage that it reached; start a finished one anew."""
    run = tools.runs.get(run_id)
    if run.stage is Stage.DONE:
        tools.holds.clear(run.item, run.role)
        return tools.runs.get(start(str(run.item), role=run.role))
    return _send(run, run, tools)


def _conclude(run_id: str, verdict: Verdict, why: str, tools: Toolbox) -> Run:
    run = tools.runs.get(run_id)
    if run.stage.position >= Stage.REPORT.position:
        raise IllegalStep(f"Run {run_id} has reached {run.stage}; what it did can only be undone on the forge.")
    return _send(run, conclude(run, verdict, why), tools)


def _send(run: Run, after: Run, tools: Toolbox) -> Run:
    sent = tools.runs.intervene(run, after)
    dispatch(sent)
    return sent
