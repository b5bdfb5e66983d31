"""Surroundings: what a run on a pull request has to know besides the item: where to begin, and what is asked of it."""

from typing import Any

from entropy.github.errors import Missing
from entropy.items import Item
from entropy.lifecycle.feedback import foreign_failures, is_agents, open_threads
from entropy.models import Run, Verdict, WorkItem
from entropy.wiring import Toolbox


def starting_commit(run: Run, item: Item, tools: Toolbox) -> str:
    """The head of a pull request; its base instead where an agent has to make its change again on top of that."""
    pull = item.pull_request
    if pull is None:
        mirror = tools.mirror(run.role, run.item.repository)
        mirror.fetch()
        return mirror.commit_of(f"refs/heads/{tools.github(run.role).repository(run.item.repository).default_branch}")
    if pull.mergeable is True or not _proposes(run, tools) or not is_agents(item, tools):
        return pull.head_commit
    mirror = tools.mirror(run.role, run.item.repository)
    mirror.fetch()
    base = mirror.commit_of(f"refs/heads/{pull.base_branch}")
    return base if mirror.conflicts(base, pull.head_commit) else pull.head_commit


def surroundings(run: Run, item: Item, tools: Toolbox) -> dict[str, Any]:
    """Fields of the assignment of whoever is to work on an agent's pull request, or to merge it."""
    judges = Verdict.APPROVED in tools.agents.agent(run.role).handoffs
    if judges or not is_agents(item, tools):
        return {}
    found: dict[str, Any] = {"threads": open_threads(item, run.role, tools)}
    if _proposes(run, tools):
        found["failures"] = foreign_failures(item, run.role, tools, logs=True)
        found["inherited"] = _labels_of_issue(run, item, tools)
    return found


def _proposes(run: Run, tools: Toolbox) -> bool:
    return Verdict.CHANGED in tools.agents.agent(run.role).handoffs


def _labels_of_issue(run: Run, item: Item, tools: Toolbox) -> tuple[str, ...]:
    """Its labels and nothing else: its text may have changed since somebody approved it."""
    number = item.pull_request.answers if item.pull_request else None
    if number is None:
        return ()
    try:
        issue = tools.github(run.role).issues.get(WorkItem(repository=run.item.repository, number=number))
    except Missing:
        return ()  # it is gone; the pull request stands for itself
    return issue.labels
