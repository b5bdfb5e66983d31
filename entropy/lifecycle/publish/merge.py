"""Publishing a merge: only the head that was looked at, by the forge's own compare-and-set, or through its queue."""

from entropy.errors import ForgeConflict
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.publish.inert import inert_line, inert_message
from entropy.models import Outcome, Published, Run
from entropy.wiring import Toolbox

QUEUE = "merge queue"
"""What the forge speaks of when it refuses a merge past its queue."""


def publish_merge(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Merge the pull request; where its branch has a merge queue, put it there and come back to see."""
    assignment = assignment_of(run, tools)
    pull = assignment.item.pull_request
    if pull is None:
        raise ForgeConflict(f"{run.item} is not a pull request; there is nothing to merge.")
    title = f"{inert_line(assignment.item.subject)} (#{pull.number})"
    head = pull.head_commit

    def merge() -> str:
        pulls = tools.github(run.role).pulls
        try:
            return pulls.merge(run.item, head=head, title=title, message=inert_message(outcome.summary))
        except ForgeConflict as refusal:
            if QUEUE not in str(refusal).lower():
                raise
            pulls.enqueue(run.item, node=pull.node, head=head)
            return QUEUE

    commit = tools.intents.once(run, "merge", merge)
    if commit == QUEUE:
        return Published(branch=pull.head_branch, pull_request=pull.number, keeps_trigger=True)
    return Published(branch=pull.head_branch, pull_request=pull.number, commit=commit)
