"""Attention: an item that changed is read once, and shown to everybody whose business its change may be."""

import logging
from collections.abc import Callable

from entropy.errors import EntropyError
from entropy.items import Item
from entropy.models import WorkItem
from entropy.scheduling.commands import obey
from entropy.scheduling.folding import fold
from entropy.scheduling.identity import SCHEDULER
from entropy.scheduling.reactions import react
from entropy.scheduling.stopping import notice_pushes, stop_if_asked
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

Attend = Callable[[Item, Toolbox], None]
"""Looks at an item as it is now and does what is due. It is shown the same item again, by several workers at once and
without anything having changed, and does nothing twice."""

ATTENDERS: tuple[Attend, ...] = (
    fold,
    stop_if_asked,
    notice_pushes,
    obey,
    react,
)
"""In the order in which they look; one line each."""


def attend(item: WorkItem, tools: Toolbox) -> Item:
    """Read the item as it is now, show it to each attender, and give it; what one fails at does not stop the others.

    Raises what the reading raises: whoever saw the change asks again later.
    """
    found = tools.github(SCHEDULER).issues.get(item)
    for attender in ATTENDERS:
        try:
            attender(found, tools)
        except EntropyError as error:
            name = f"{attender.__module__}.{attender.__qualname__}"
            log.error("change not attended to", extra={"item": str(item), "attender": name, "why": str(error)})
    return found
