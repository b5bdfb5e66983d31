"""BranchTip: how a commit comes to its branch on the forge."""

from typing import NamedTuple

from entropy.models import Run
from entropy.repository.mirror import Mirror
from entropy.wiring import Toolbox


class BranchTip(NamedTuple):
    """A commit at the tip of a branch."""

    branch: str
    commit: str
    remark: str = ""
    """What people should know of how it came there."""


def deliver(run: Run, wanted: BranchTip, expected: str | None, mirror: Mirror, tools: Toolbox) -> BranchTip:
    """Set the branch to the commit if it still is at `expected` (None: does not exist)."""

    def push() -> str:
        mirror.push(wanted.commit, wanted.branch, expected=expected)
        return wanted.commit

    return wanted._replace(commit=tools.intents.once(run, "push", push))
