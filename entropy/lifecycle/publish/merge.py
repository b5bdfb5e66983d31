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
    tools.runs.guard(run)
    commit = tools.github(run.role).pulls.merge(
        run.item,
        head=pull.head_commit,
        title=f"{assignment.item.title} (#{pull.number})",
        message=outcome.summary,
    )
    return Published(branch=pull.head_branch, pull_request=pull.number, commit=commit)
