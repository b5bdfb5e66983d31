"""What each command of a person does: to the item's labels, to its runs, and to what is held against it."""

import re
from typing import NamedTuple

from entropy.agents.evidence import quote
from entropy.errors import SecretNotFound
from entropy.github.markers import bears
from entropy.items import Comment, Item
from entropy.lifecycle.intervention import end, live_on
from entropy.lifecycle.progress import DATA, status_marker, status_of, with_progress
from entropy.lifecycle.publish.notice import PARKED
from entropy.lifecycle.signs import HANDED_OVER, PAUSED, RESTING, STOP
from entropy.models import Verdict
from entropy.wiring import Toolbox

CANCELLED = Verdict.CANCELLED
BUDGET = "entropy:budget"
AMOUNT = re.compile(r"\d{1,9}(\.\d{1,2})?")


class Order(NamedTuple):
    """One command on an item; `role` speaks and acts for it."""

    item: Item
    role: str
    word: str
    argument: str


class Answer(NamedTuple):
    """What is said to a command; without text, the reaction says enough."""

    text: str = ""
    refused: bool = False


def hand_to_role(order: Order, tools: Toolbox) -> Answer:
    """Set the label that starts the role of the same name: ``entropy:code`` for ``code``."""
    role = tools.agents.triggers().get(f"entropy:{order.word}")
    if role is None:
        roles = ", ".join(tools.agents.roles())
        return Answer(f"Nobody here does `{order.word}` yet; the roles are {roles}.", refused=True)
    if not order.item.open:
        return Answer("This is closed; reopen it first.", refused=True)
    if order.word == "review" and order.item.pull_request is None:
        return Answer("This is an issue; write it on the pull request that is to be reviewed.", refused=True)
    return _start(order, role, tools)


def rework(order: Order, tools: Toolbox) -> Answer:
    """Hand a pull request back to whoever makes changes."""
    if order.item.pull_request is None:
        return Answer("This is an issue; write it on the pull request that is to be reworked.", refused=True)
    return hand_to_role(order._replace(word="code"), tools)


def retry(order: Order, tools: Toolbox) -> Answer:
    """Forget how often it was tried, and try again now."""
    role = _last_role(order.item, tools)
    if role is None:
        return Answer("No agent has worked on this yet; say which with `/entropy code`.", refused=True)
    if not order.item.open:
        return Answer("This is closed; reopen it first.", refused=True)
    _forget(order.item, role, tools)
    return _start(order, role, tools)


def approve(order: Order, tools: Toolbox) -> Answer:
    """Let what was parked go on."""
    if PARKED not in order.item.labels:
        return Answer("Nothing waits for an approval here.", refused=True)
    return retry(order, tools)


def stop(order: Order, tools: Toolbox) -> Answer:
    """End what is running, and begin nothing new."""
    reference = order.item.reference
    tools.github(order.role).issues.relabel(reference, add=[STOP])
    end(reference, CANCELLED, "A person wrote `/entropy stop`.", tools)
    left = [run for run in live_on(reference, tools) if run.outcome is None or run.outcome.verdict is not CANCELLED]
    if left:
        working = ", ".join(run.role for run in left)
        return Answer(f"The {working} has begun to publish, and ends with that.")
    return Answer()


def pause(order: Order, tools: Toolbox) -> Answer:
    """Begin nothing new; what is running comes to its end."""
    tools.github(order.role).issues.relabel(order.item.reference, add=[PAUSED])
    return Answer()


def resume(order: Order, tools: Toolbox) -> Answer:
    """Take away what holds agents back."""
    there = [label for label in RESTING if label in order.item.labels]
    if not there:
        return Answer("Nothing holds agents back here; `/entropy explain` says what they wait for.", refused=True)
    tools.github(order.role).issues.relabel(order.item.reference, remove=there)
    for role in tools.agents.roles():
        tools.holds.clear(order.item.reference, role)
    return Answer()


def budget(order: Order, tools: Toolbox) -> Answer:
    """Write down what a person is ready to spend on the item, for engines that spend."""
    if not AMOUNT.fullmatch(order.argument):
        return Answer("Say how much, in US dollars: `/entropy budget 5`.", refused=True)
    body = (
        f"<!-- {BUDGET} {order.argument} -->\n"
        f"Noted: a budget of {order.argument} $ for this item. No engine here spends money yet; those that will, keep "
        "to it."
    )
    tools.github(order.role).issues.ensure_comment(order.item.reference, marker=BUDGET, body=body)
    return Answer()


def _start(order: Order, role: str, tools: Toolbox) -> Answer:
    """Set the role's trigger anew, so that it is ours and newer than the text, and let nothing stand in its way."""
    reference, trigger = order.item.reference, tools.agents.agent(role).trigger
    tools.holds.clear(reference, role)
    if tools.runs.active(reference, role) is not None:
        return Answer(f"The {role} is at work on this already.")
    issues = tools.github(order.role).issues
    gone = [label for label in (trigger, PARKED, STOP) if label in order.item.labels]
    issues.relabel(reference, remove=gone)
    issues.relabel(reference, add=[trigger])
    waits = next((label for label in (PAUSED, HANDED_OVER) if label in order.item.labels), None)
    return Answer(f"It begins when {quote(waits)} is gone: write `/entropy resume`." if waits else "")


def _last_role(item: Item, tools: Toolbox) -> str | None:
    """Whose trigger is on the item; or who spoke of their work on it last."""
    triggers = tools.agents.triggers()
    there = [triggers[label] for label in item.labels if label in triggers]
    if there:
        return there[0]
    spoken = [(comment.updated, comment.id, role) for role in tools.agents.roles() for comment in _statuses(item, role)]
    return max(spoken)[2] if spoken else None


def _statuses(item: Item, role: str) -> list[Comment]:
    return [comment for comment in item.comments if bears(status_marker(role), comment.body)]


def _forget(item: Item, role: str, tools: Toolbox) -> None:
    """Set the count in the role's own comment back, where this process may write as that role."""
    try:
        forge = tools.github(role)
    except SecretNotFound:
        return
    known = status_of(item, role, login=forge.identity().login)
    if known is None:
        return
    progress, comment = known
    text = DATA.sub("", comment.body.partition("\n")[2]).strip("\n")
    fresh = progress.model_copy(update={"count": 0, "rounds": 0})
    forge.issues.ensure_comment(
        item.reference, marker=status_marker(role), body=with_progress(fresh, text), known=comment.id
    )
