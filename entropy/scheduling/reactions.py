"""Reactions: what people and machines say of an agent's pull request becomes a label, by which a role starts."""

import logging

from entropy.agents.roles.coder import Coder
from entropy.agents.roles.merger import Merger
from entropy.agents.roles.reviewer import Reviewer
from entropy.items import Item
from entropy.lifecycle.feedback import Feedback, Need, feedback_on, is_agents, run_again
from entropy.lifecycle.publish.notice import PARKED
from entropy.lifecycle.signs import resting
from entropy.scheduling.spokesman import spokesman
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

BUSY = frozenset({Coder.trigger, Reviewer.trigger, PARKED})
"""Somebody has the pull request already; what is due is seen when they are done."""


def react(item: Item, tools: Toolbox) -> None:
    """Set the label that is due on an agent's pull request, as a person could; without anything new, do nothing."""
    if item.locked or resting(item.labels) or BUSY.intersection(item.labels) or not is_agents(item, tools):
        return
    role = spokesman(tools)
    feedback = feedback_on(item, role, tools)
    if feedback.due is Need.RERUN:
        run_again(item, feedback, role, tools)
    elif feedback.due is Need.REWORK:
        _hand(item, Coder.trigger, feedback, tools, role=role)
    elif feedback.due is Need.MERGE and Merger.trigger not in item.labels:
        _hand(item, Merger.trigger, feedback, tools, role=role)


def _hand(item: Item, label: str, feedback: Feedback, tools: Toolbox, *, role: str) -> None:
    others = [Merger.trigger] if label != Merger.trigger and Merger.trigger in item.labels else []
    tools.github(role).issues.relabel(item.reference, add=[label], remove=others)
    log.info("reacted", extra={"item": str(item.reference), "label": label, "why": feedback.why})
