"""Starting a run by hand, from a shell or the command line."""

from entropy.lifecycle.chain import canvas
from entropy.models import Envelope, Run, WorkItem
from entropy.wiring import Toolbox, toolbox


def start(reference: str, *, role: str) -> str:
    """Start a run of `role` on ``owner/name#number``, whatever its labels; returns the id of the run.

    If that role is already at work on the item, nothing new starts and its run's id is returned.
    Raises `UnknownReference`, `UnknownRole` or `StateUnavailable` before anything is written.
    """
    tools = toolbox()
    item = WorkItem.parse(reference)
    tools.agents.agent(role)
    admission, run_id = tools.runs.admit(item, role)
    if admission == "admitted":
        dispatch(tools.runs.get(run_id))
    return run_id


def dispatch(run: Run) -> None:
    """Send what is left of a run."""
    canvas(run).apply_async()


def take_up(envelope: Envelope, tools: Toolbox) -> Run:
    """Send a run again from the stage that it reached, in its new generation."""
    run = tools.runs.get(envelope.run_id)
    dispatch(run)
    return run
