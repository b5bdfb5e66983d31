"""Folding: what one of our roles said twice on an item is taken back once.

A process that stood still between its look and its write may write after another has; it folds what it doubled when it
goes on, and this is for the one that never did.
"""

import logging

from entropy.github.markers import marker_of
from entropy.items import Item
from entropy.lifecycle.tickets import is_ticket
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)


def fold(item: Item, tools: Toolbox) -> None:
    """Remove each comment of ours whose marker an older comment of the same role bears."""
    roles = {login: role for role, login in tools.identities.items()}
    seen: set[tuple[str, str]] = set()
    for comment in sorted(item.comments, key=lambda comment: comment.id):
        role, marker = roles.get(comment.author), marker_of(comment.body)
        if role is None or marker is None or is_ticket(comment):
            continue
        if (role, marker) in seen:
            log.warning("comment folded", extra={"item": str(item.reference), "role": role, "marker": marker})
            tools.github(role).issues.remove_comment(item.reference, comment.id)
        seen.add((role, marker))
