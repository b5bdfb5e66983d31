"""Tickets: where several installations serve one repository, one at a time looks at an item's count and writes it.

The forge decides, by the ids of comments: whoever wrote the oldest ticket is next. An installation without a name is
alone, and writes none.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from entropy.github.markers import bears, marker_of
from entropy.items import Comment, Item
from entropy.lifecycle.progress import status_of
from entropy.models import Run
from entropy.wiring import Toolbox

STALE = 300
"""Seconds after which the ticket of another installation is taken for forgotten."""
TICKET = "entropy:ticket:"
SLACK = 600
"""Seconds beyond the time limit of `execute` for which another installation may say that it is at work."""


@contextmanager
def ticket(run: Run, item: Item, tools: Toolbox) -> Iterator[Item | None]:
    """The item as it is while no other installation may count; None where another is ahead, or at work on it."""
    name = tools.settings.github.installation
    if not name:
        yield item
        return
    if _works_elsewhere(run, item, tools):
        yield None
        return
    issues = tools.github(run.role).issues
    tools.runs.guard(run)
    mine = issues.add_comment(run.item, marker=_marker(run.role), body=_text(name))
    try:
        now = issues.get(run.item)
        free = _is_first(run, mine, now, tools) and not _works_elsewhere(run, now, tools)
        yield now if free else None
    finally:
        issues.remove_comment(run.item, mine.id)


def _is_first(run: Run, mine: Comment, item: Item, tools: Toolbox) -> bool:
    issues, first = tools.github(run.role).issues, True
    for other in item.comments:
        if other.author != mine.author or not bears(_marker(run.role), other.body) or other.id == mine.id:
            continue
        # A run of ours that died left it: there is only one at a time. Or it is of an installation that is no more.
        ours = other.body.rstrip().endswith(_text(tools.settings.github.installation))
        if ours or (mine.created - other.created).total_seconds() > STALE:
            issues.remove_comment(run.item, other.id)
        elif other.id < mine.id:
            first = False
    return first


def _works_elsewhere(run: Run, item: Item, tools: Toolbox) -> bool:
    known = status_of(item, run.role, login=tools.github(run.role).identity().login)
    if known is None or not known[0].working or known[0].installation == tools.settings.github.installation:
        return False
    age = tools.connection.now() - known[1].updated.timestamp()
    return age < tools.settings.sandbox.timeout + SLACK


def is_ticket(comment: Comment) -> bool:
    """Of these there may be several."""
    return (marker_of(comment.body) or "").startswith(TICKET)


def _marker(role: str) -> str:
    return TICKET + role


def _text(installation: str) -> str:
    return f"Entropy, the installation {installation}, is next."
