"""Delivery: how a commit comes to its branch on the forge, pushed or made there anew."""

from typing import NamedTuple

from entropy.models import Run
from entropy.repository.mirror import Mirror
from entropy.wiring import Toolbox

UNVERIFIED = (
    "*The forge does not show this as verified: it was pushed, since its API has no words for file modes, for another "
    "history of a branch, and for files of many megabytes.*"
)


class BranchTip(NamedTuple):
    """A commit at the tip of a branch."""

    branch: str
    commit: str
    remark: str = ""
    """What people should know of how it came there."""


def deliver(run: Run, wanted: BranchTip, expected: str | None, mirror: Mirror, tools: Toolbox) -> BranchTip:
    """Set the branch to the commit, or to one just like it, if it still is at `expected` (None: does not exist)."""

    def push() -> str:
        mirror.push(wanted.commit, wanted.branch, expected=expected)
        return wanted.commit

    if tools.settings.reports.commits == "push":
        return wanted._replace(commit=tools.intents.once(run, "push", push))
    files = mirror.files_of(wanted.commit)
    parent = mirror.parent_of(wanted.commit)
    if files is None or not (expected in {None, parent} or mirror.is_twin(expected, wanted.commit)):
        return wanted._replace(commit=tools.intents.once(run, "push", push), remark=UNVERIFIED)

    def make() -> str:
        tip = mirror.tip_of(wanted.branch)
        if tip is not None and mirror.is_twin(tip, wanted.commit):
            return tip  # an earlier try came so far
        commits = tools.github(run.role).commits
        if tip is None:
            commits.begin(run.item.repository, wanted.branch, at=parent)
        message = mirror.message_of(wanted.commit)
        return commits.create(run.item.repository, wanted.branch, parent=parent, message=message, files=files)

    made = tools.intents.once(run, "push", make)
    mirror.fetch()
    return wanted._replace(commit=made)
