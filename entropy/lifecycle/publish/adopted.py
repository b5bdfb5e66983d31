"""Publishing that a proposal was found: it goes to the next role unless somebody has it already."""

from entropy.errors import IllegalStep
from entropy.lifecycle.publish.protection import PROTECTED
from entropy.lifecycle.publish.status import say
from entropy.models import Outcome, Published, Run, Verdict, WorkItem
from entropy.wiring import Toolbox


def publish_adopted(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Say so, and label the pull request if no role has it."""
    number = run.published.pull_request
    if number is None:
        raise IllegalStep(f"Run {run.id} adopted no pull request.")
    pull = tools.github(run.role).issues.get(WorkItem(repository=run.item.repository, number=number))
    handled = any(label.startswith("entropy:") and label != PROTECTED for label in pull.labels)
    label = None if handled else tools.agents.agent(run.role).handoffs[Verdict.CHANGED]
    again = "To have it reworked, put the label on that one; to start afresh, close it first."
    say(run, tools, f"{outcome.summary} {again}", intent="notice", progress=run.progress)
    return run.published.model_copy(update={"label": label})
