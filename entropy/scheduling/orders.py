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
COUNT_STANDS = (
    "The count of tries stands, for the credentials of the {role} are with another worker. If it is parked again for "
    "that, delete the status comment of the {role} here, in which the count is, and write `/entropy retry` again."
)
AMOUNT = re.compile(r"\d{1,9}(\.\d{1,2})?")


class Order(NamedTuple):
    """One command on an item; `role` speaks and acts for it."""

    item: Item
    role: str
    word: str
    argument: str


class Acknowledgement(NamedTuple):
    """What is said to a command; without text, the reaction says enough."""

    text: str = ""
    refused: bool = False


def hand_to_role(order: Order, tools: Toolbox) -> Acknowledgement:
    """Set the label that starts the role of the same name: ``entropy:code`` for ``code``."""
    role = tools.agents.triggers().get(f"entropy:{order.word}")
    if role is None:
        roles = ", ".join(tools.agents.roles())
        return Acknowledgement(f"Nobody here does `{order.word}` yet; the roles are {roles}.", refused=True)
    if not order.item.open:
        return Acknowledgement("This is closed; reopen it first.", refused=True)
    if order.word == "review" and order.item.pull_request is None:
        return Acknowledgement("This is an issue; write it on the pull request that is to be reviewed.", refused=True)
    return _start(order, role, tools)


def rework(order: Order, tools: Toolbox) -> Acknowledgement:
    """Hand a pull request back to whoever makes changes."""
    if order.item.pull_request is None:
        return Acknowledgement("This is an issue; write it on the pull request that is to be reworked.", refused=True)
    return hand_to_role(order._replace(word="code"), tools)


def retry(order: Order, tools: Toolbox) -> Acknowledgement:
    """Forget how often it was tried, and try again now."""
    role = _last_role(order.item, tools)
    if role is None:
        return Acknowledgement("No agent has worked on this yet; say which with `/entropy code`.", refused=True)
    if not order.item.open:
        return Acknowledgement("This is closed; reopen it first.", refused=True)
    kept = _forget(order.item, role, tools)
    begun = _start(order, role, tools)
    return begun if begun.refused else begun._replace(text="\n\n".join(filter(None, (begun.text, kept))))


def approve(order: Order, tools: Toolbox) -> Acknowledgement:
    """Let what was parked go on."""
    if PARKED not in order.item.labels:
        return Acknowledgement("Nothing waits for an approval here.", refused=True)
    return retry(order, tools)


def stop(order: Order, tools: Toolbox) -> Acknowledgement:
    """End what is running, and begin nothing new."""
    reference = order.item.reference
    tools.github(order.role).issues.relabel(reference, add=[STOP])
    end(reference, CANCELLED, "A person wrote `/entropy stop`.", tools)
    left = [run for run in live_on(reference, tools) if run.outcome is None or run.outcome.verdict is not CANCELLED]
    if left:
        working = ", ".join(run.role for run in left)
        return Acknowledgement(f"The {working} has begun to publish, and ends with that.")
    return Acknowledgement()


def pause(order: Order, tools: Toolbox) -> Acknowledgement:
    """Begin nothing new; what is running comes to its end."""
    tools.github(order.role).issues.relabel(order.item.reference, add=[PAUSED])
    return Acknowledgement()


def resume(order: Order, tools: Toolbox) -> Acknowledgement:
    """Take away what holds agents back."""
    there = [label for label in RESTING if label in order.item.labels]
    if not there:
        return Acknowledgement(
            "Nothing holds agents back here; `/entropy explain` says what they wait for.", refused=True
        )
    tools.github(order.role).issues.relabel(order.item.reference, remove=there)
    for role in tools.agents.roles():
        tools.holds.clear(order.item.reference, role)
    return Acknowledgement()


def budget(order: Order, tools: Toolbox) -> Acknowledgement:
    """Write down what a person is ready to spend on the item, for engines that spend."""
    if not AMOUNT.fullmatch(order.argument):
        return Acknowledgement("Say how much, in US dollars: `/entropy budget 5`.", refused=True)
    body = (
        f"<!-- {BUDGET} {order.argument} -->\n"
        f"Noted: a budget of {order.argument} $ for this item. No engine here spends money yet; those that will, keep "
        "to it."
    )
    tools.github(order.role).issues.ensure_comment(order.item.reference, marker=BUDGET, body=body)
    return Acknowledgement()


def _start(order: Order, role: str, tools: Toolbox) -> Acknowledgement:
    """Set the role's trigger anew, so that it is ours and newer than the text, and let nothing stand in its way."""
    reference, trigger = order.item.reference, tools.agents.agent(role).trigger
    tools.holds.clear(reference, role)
    if (run_id := tools.runs.active(reference, role)) is not None:
        outcome = tools.runs.get(run_id).outcome
        if outcome is not None and outcome.verdict is CANCELLED:
            return Acknowledgement(f"The {role} is about to stop; ask again in a moment.", refused=True)
        return Acknowledgement(f"The {role} is at work on this already.")
    issues = tools.github(order.role).issues
    gone = [label for label in (trigger, PARKED, STOP) if label in order.item.labels]
    issues.relabel(reference, remove=gone)
    issues.relabel(reference, add=[trigger])
    waits = next((label for label in (PAUSED, HANDED_OVER) if label in order.item.labels), None)
    return Acknowledgement(f"It begins when {quote(waits)} is gone: write `/entropy resume`." if waits else "")


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


def _forget(item: Item, role: str, tools: Toolbox) -> str:
    """Set the count in the role's own comment back; what to say where this process may not write as that role."""
    try:
        forge = tools.github(role)
    except SecretNotFound:
        return COUNT_STANDS.format(role=role) if _statuses(item, role) else ""
    known = status_of(item, role, login=forge.identity().login)
    if known is None:
        return ""
    progress, comment = known
    text = DATA.sub("", comment.body.partition("\n")[2]).strip("\n")
    fresh = progress.model_copy(update={"count": 0, "rounds": 0})
    forge.issues.ensure_comment(
        item.reference, marker=status_marker(role), body=with_progress(fresh, text), known=comment.id
    )
    return ""
