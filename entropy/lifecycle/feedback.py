"""Feedback: what people and machines said of an agent's pull request, and what is due because of it."""

import logging
from enum import StrEnum

from entropy.agents.roles.merger import TESTS_CHECK, approvers, objectors
from entropy.errors import ForgeRefused
from entropy.items import FailedCheck, Item, PullRequest, ReviewThread
from entropy.lifecycle.trust import is_ours, may_command
from entropy.models import Noun
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)


class Need(StrEnum):
    """What a pull request needs next."""

    NOTHING = "nothing"
    REWORK = "rework"  # somebody asks for something, a check is red, or the base moved under it
    RERUN = "rerun"  # a check failed, for the first time at this head
    MERGE = "merge"


class Feedback(Noun):
    """What is due, and why, as part of a sentence."""

    due: Need
    why: str = ""
    checks: tuple[FailedCheck, ...] = ()
    """Those that are to run again."""


NOTHING = Feedback(due=Need.NOTHING)


def is_agents(item: Item, tools: Toolbox) -> bool:
    """Whether this is an open pull request of ours, from a branch in the repository itself."""
    pull = item.pull_request
    if pull is None or not pull.open or pull.answers is None:
        return False
    return pull.head_repository == item.reference.repository and is_ours(pull.author, tools)


def feedback_on(item: Item, role: str, tools: Toolbox) -> Feedback:
    """What is due on an agent's pull request; `role` asks the forge, and writes nothing."""
    pull = item.pull_request
    if pull is None or not is_agents(item, tools):
        return NOTHING
    if pull.mergeable is False:
        return Feedback(due=Need.REWORK, why=f"it conflicts with {pull.base_branch}")
    heard = tuple(each for each in pull.reviews if may_command(each.author, item.reference.repository, role, tools))
    pull = pull.model_copy(update={"reviews": heard})
    if people := _objections(item, pull, role, tools):
        return Feedback(due=Need.REWORK, why=f"{', '.join(people)} asked for changes")
    return _on_checks(item, pull, role, tools)


def _on_checks(item: Item, pull: PullRequest, role: str, tools: Toolbox) -> Feedback:
    states = {check.state for check in pull.checks}
    if "pending" in states:
        return NOTHING  # whoever is still at it may find more
    if "failure" in states:
        return _after_failure(item, pull, role, tools)
    if _is_ready(pull):
        return Feedback(due=Need.MERGE, why="it is approved and green")
    return NOTHING


def open_threads(item: Item, role: str, tools: Toolbox) -> tuple[ReviewThread, ...]:
    """Threads that nobody settled, whose last word is not the author's, by people with a say."""
    pull = item.pull_request
    if pull is None or not any(review.findings for review in pull.reviews):
        return ()  # a review's findings are what threads begin with
    found = []
    for thread in tools.github(role).threads.of(item.reference):
        heard = tuple(
            comment
            for comment in thread.comments
            if may_command(comment.author, item.reference.repository, role, tools)
        )
        if not thread.resolved and heard and heard[-1].author != pull.author:
            found.append(thread.model_copy(update={"comments": heard}))
    return tuple(found)


def _objections(item: Item, pull: PullRequest, role: str, tools: Toolbox) -> list[str]:
    """People, not roles of ours, who asked for something that no later commit has answered."""
    asked = {author for author, commit in objectors(pull).items() if commit == pull.head_commit}
    asked |= {thread.comments[-1].author for thread in open_threads(item, role, tools)}
    return sorted(author for author in asked if not is_ours(author, tools))


def _after_failure(item: Item, pull: PullRequest, role: str, tools: Toolbox) -> Feedback:
    failed = foreign_failures(item, role, tools)
    if not failed:
        return NOTHING  # our own: the review says what is wrong
    names = ", ".join(sorted(check.name for check in failed))
    again = [check for check in failed if check.run is not None]
    stands = [tools.reruns.standing(_place(item, check), check.completed) for check in again]
    fresh = tuple(check for check, standing in zip(again, stands, strict=True) if standing == "first")
    if fresh:
        return Feedback(due=Need.RERUN, why=f"{names} failed", checks=fresh)
    if "waiting" in stands:
        return NOTHING
    return Feedback(due=Need.REWORK, why=f"{names} failed")


def foreign_failures(item: Item, role: str, tools: Toolbox, *, logs: bool = False) -> tuple[FailedCheck, ...]:
    """The checks that failed at the head, without our own; with `logs` for who has to find out why."""
    pull = item.pull_request
    if pull is None or not any(check.state == "failure" and check.name != TESTS_CHECK for check in pull.checks):
        return ()
    failed = tools.github(role).checks.failed(item.reference.repository, pull.head_commit, logs=logs)
    return tuple(check for check in failed if check.name != TESTS_CHECK)


def run_again(item: Item, feedback: Feedback, role: str, tools: Toolbox) -> None:
    """Ask for the failed checks again, once each at this head; what the forge refuses stands as it is."""
    for check in feedback.checks:
        place, wait = _place(item, check), tools.settings.scheduling.rerun_wait
        if check.run is None or not tools.reruns.begin(place, check.completed, wait=wait):
            continue
        try:
            tools.github(role).checks.rerun(item.reference.repository, check.run)
        except ForgeRefused as refusal:
            log.info("check not run again", extra={"item": str(item.reference), "why": str(refusal)})
            tools.reruns.give_up(place)


def _place(item: Item, check: FailedCheck) -> str:
    head = item.pull_request.head_commit if item.pull_request else ""
    return f"{item.reference.repository}@{head}:{check.name}"


def _is_ready(pull: PullRequest) -> bool:
    tested = any(check.name == TESTS_CHECK for check in pull.checks)
    return tested and not pull.draft and pull.mergeable is True and bool(approvers(pull)) and not objectors(pull)
