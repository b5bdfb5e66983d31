"""Stopping: a person who labels, closes or pushes ends what agents are doing there, within seconds."""

import logging

from entropy.items import Item
from entropy.lifecycle.handover import handover, tell
from entropy.lifecycle.intervention import end
from entropy.lifecycle.signs import STOP
from entropy.models import Verdict
from entropy.scheduling.spokesman import spokesman
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)


def stop_if_asked(item: Item, tools: Toolbox) -> None:
    """End the runs on an item that was closed, or labelled to be left alone."""
    why = _why(item)
    if why is None:
        return
    for run in end(item.reference, Verdict.CANCELLED, why, tools):
        log.warning("run stopped by a person", extra={"run_id": run.id, "item": str(run.item), "why": why})


def notice_pushes(item: Item, tools: Toolbox) -> None:
    """Leave an agent's branch to the person who pushed to it."""
    if item.pull_request is None:
        return
    role = spokesman(tools)
    found = handover(item, role, tools)
    if found is None:
        return
    end(item.reference, Verdict.HANDED_OVER, found.sentence, tools)
    tell(item, found, role, tools)


def _why(item: Item) -> str | None:
    if STOP in item.labels:
        return f"The label `{STOP}` was set. Agents leave this alone until it is gone."
    if item.open:
        return None
    if item.pull_request is not None:
        return "This pull request was merged." if item.pull_request.merged else "This pull request was closed."
    return "This issue was closed."
