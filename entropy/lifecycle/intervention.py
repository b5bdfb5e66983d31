"""What an operator may do with a run: cancel it, park it, try it again."""

from entropy.errors import IllegalStep
from entropy.lifecycle.conclude import conclude
from entropy.lifecycle.starting import dispatch, start
from entropy.models import Run, Stage, Verdict, WorkItem
from entropy.wiring import Toolbox


def cancel(run_id: str, tools: Toolbox, *, why: str = "An operator cancelled this run.") -> Run:
    """End a run: its worker is stopped, its label taken away, its claim given back."""
    return _conclude(run_id, Verdict.CANCELLED, why, tools)


def end(item: WorkItem, verdict: Verdict, why: str, tools: Toolbox) -> list[Run]:
    """End every run on an item that has published nothing yet, and come back with these."""
    ended = [_ended(run.id, verdict, why, tools) for run in live_on(item, tools)]
    return [run for run in ended if run is not None]


def live_on(item: WorkItem, tools: Toolbox) -> list[Run]:
    """Every unfinished run on an item."""
    active = [tools.runs.active(item, role) for role in tools.agents.roles()]
    return [tools.runs.get(run_id) for run_id in active if run_id is not None]


def _ended(run_id: str, verdict: Verdict, why: str, tools: Toolbox) -> Run | None:
    for _ in Stage:  # it may move on between the look and the word, at most from stage to stage
        if tools.runs.get(run_id).stage.position >= Stage.REPORT.position:
            return None
        try:
            return _conclude(run_id, verdict, why, tools)
        except IllegalStep:
            continue
    return None


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
