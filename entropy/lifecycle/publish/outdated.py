"""Publishing that a pull request has to be worked on before it can be merged: by the coder, if it is an agent's."""

from entropy.agents.roles.coder import Coder
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.feedback import Need, feedback_on, is_agents, run_again
from entropy.lifecycle.publish.notice import publish_notice
from entropy.models import Outcome, Published, Run, Verdict
from entropy.wiring import Toolbox


def publish_outdated(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Hand it back with the coder's label, have a failed check run again, or wait for what is on its way."""
    item = assignment_of(run, tools).item
    if item.pull_request is None or not is_agents(item, tools):
        return publish_notice(run, outcome.model_copy(update={"verdict": Verdict.GAVE_UP}), tools)
    feedback = feedback_on(item, run.role, tools)
    if feedback.due is Need.REWORK:
        return Published(pull_request=item.pull_request.number, label=Coder.trigger)
    if feedback.due is Need.RERUN:
        run_again(item, feedback, run.role, tools)
    return Published(pull_request=item.pull_request.number, keeps_trigger=True)
