"""Oversight: what agents are at work on is looked at every few seconds, for a person may want them to stop."""

import logging

from celery import shared_task

from entropy.errors import EntropyError
from entropy.github.errors import Missing
from entropy.lifecycle.intervention import end
from entropy.lifecycle.task import EntropyTask
from entropy.models import Verdict, WorkItem
from entropy.scheduling.attention import attend
from entropy.scheduling.identity import SCHEDULER
from entropy.wiring import Toolbox, toolbox

log = logging.getLogger(__name__)

_seen: dict[WorkItem, str | None] = {}
"""This process's last look at each item, so that looking again is free while nothing changes."""


@shared_task(base=EntropyTask, name="entropy.scheduling.oversee")
def oversee() -> None:
    """`look_after` what is under way, unless it was done a moment ago: by several beats, or by a backlog."""
    tools = toolbox()
    if tools.people.due(tools.settings.trust.watch / 2):
        look_after(tools)


def look_after(tools: Toolbox) -> None:
    """Show every item that a run is at work on to who may have to stop it, if it has changed."""
    items = {tools.runs.get(run_id).item for run_id in tools.runs.live()}
    for over in _seen.keys() - items:
        del _seen[over]
    for item in sorted(items, key=str):
        try:
            _look(item, tools)
        except EntropyError as error:
            log.error("item at work not looked at", extra={"item": str(item), "why": str(error)})


def _look(item: WorkItem, tools: Toolbox) -> None:
    try:
        etag = tools.github(SCHEDULER).issues.changed(item, since=_seen.get(item))
        if etag is not None:
            attend(item, tools)
            _seen[item] = etag
    except Missing:
        end(item, Verdict.CANCELLED, f"{item} is gone, or no longer shown to us.", tools)
