"""Protected paths: an agent may propose a change to them, and only a person's approval lets it in."""

from collections.abc import Iterable

from entropy.agents.roles.merger import approvers
from entropy.items import PullRequest
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.publish.inert import word
from entropy.lifecycle.trust import BOT, is_allowed_bot, is_ours, may_command
from entropy.models import Run, WorkItem
from entropy.repository.paths import is_protected
from entropy.wiring import Toolbox

PROTECTED = "entropy:protected"
"""The label of a pull request that touches such paths."""
MOST = 10
NOTICE = (
    "**This touches {paths}, which decides what people or agents may do here.** It is merged when a person who may "
    "write to this repository has approved of its present head; the approval of an agent or a bot does not count."
)
AWAITED = "It touches {paths} and waits for a person with write permission to approve of its present head."


def protected(paths: Iterable[str], tools: Toolbox) -> tuple[str, ...]:
    """Those of the paths that a setting protects."""
    globs = tools.settings.repository.protected
    return tuple(sorted(path for path in paths if is_protected(path, globs)))


def notice(paths: tuple[str, ...]) -> str:
    """What people read of it; nothing where there is nothing to say."""
    return NOTICE.format(paths=_named(paths)) if paths else ""


def mark(run: Run, number: int, paths: tuple[str, ...], tools: Toolbox) -> None:
    """Label the pull request."""
    target = WorkItem(repository=run.item.repository, number=number)

    def label() -> str:
        tools.github(run.role).issues.relabel(target, add=[PROTECTED])
        return PROTECTED

    if paths:
        tools.intents.once(run, "protect", label)


def awaited(run: Run, tools: Toolbox) -> str | None:
    """What stands in the way of a merge as long as no person has approved of it, as a sentence."""
    assignment = assignment_of(run, tools)
    pull = assignment.item.pull_request
    if pull is None or not tools.settings.repository.protected:
        return None
    if _is_person(pull.author, run, tools) or any(_is_person(each, run, tools) for each in approvers(pull)):
        return None
    paths = protected(_proposed(run, pull, tools), tools)
    return AWAITED.format(paths=_named(paths)) if paths else None


def _proposed(run: Run, pull: PullRequest, tools: Toolbox) -> frozenset[str]:
    mirror = tools.mirror(run.role, run.item.repository)
    mirror.fetch()
    return mirror.changed(f"refs/heads/{pull.base_branch}", pull.head_commit, since_fork=True)


def _is_person(login: str, run: Run, tools: Toolbox) -> bool:
    if login.endswith(BOT) or is_ours(login, tools) or is_allowed_bot(login, tools):
        return False
    return may_command(login, run.item.repository, run.role, tools)


def _named(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - MOST} more" if len(paths) > MOST else ""
    return ", ".join(f"`{word(path, 300)}`" for path in paths[:MOST]) + more
