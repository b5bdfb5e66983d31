"""Publishing a merge: only the head that was looked at, by the forge's own compare-and-set."""

from entropy.errors import ForgeConflict
from entropy.lifecycle.assignment import assignment_of
from entropy.models import Outcome, Published, Run
from entropy.wiring import Toolbox


def publish_merge(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Merge the pull request."""
    assignment = assignment_of(run, tools)
    pull = assignment.item.pull_request
    if pull is None:
        raise ForgeConflict(f"{run.item} is not a pull request; there is nothing to merge.")
    title = f"{assignment.item.title} (#{pull.number})"
    head = pull.head_commit

    def merge() -> str:
        return tools.github(run.role).pulls.merge(run.item, head=head, title=title, message=outcome.summary)

    commit = tools.intents.once(run, "merge", merge)
    return Published(branch=pull.head_branch, pull_request=pull.number, commit=commit)
