"""A branch that changes hands: when a person pushed to an agent's branch, it is theirs until they give it back.

What is known of it stands on the forge: the label says that agents rest, and one comment which head was noticed. A head
that was noticed, without the label, was given back. Where a branch is pushed back by force to what an agent once made,
its head looks like the agent's; the timeline tells who did that, and each such push counts for itself.
"""

import logging
import re
from datetime import datetime
from typing import NamedTuple

from entropy.agents.evidence import quote
from entropy.github.markers import bears
from entropy.github.timeline import TimelineEvent, forced
from entropy.github.trust import Signature
from entropy.items import Comment, Item
from entropy.lifecycle.signs import HANDED_OVER
from entropy.lifecycle.trust import is_ours
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

MARKER = "entropy:handover"
NOTICED = re.compile(r"^<!-- entropy:head ([0-9a-f]+)(?: \S+)? -->$", re.MULTILINE)
WEB = "web-flow"
"""Who GitHub says committed what was made through its pages or its API."""
NOREPLY = re.compile(r"(?:\d+\+)?(.+)@users\.noreply\..+")

SENTENCE = (
    "{who} pushed {head} to this branch, so it is theirs now and agents leave it alone. To give it back, write "
    "`/entropy resume` or take the label `{label}` away."
)


class Handover(NamedTuple):
    head: str
    sentence: str
    at: datetime | None
    """When the branch was pushed to by force; None when it was not."""


def handover(item: Item, role: str, tools: Toolbox) -> Handover | None:
    """Whose the branch is, if it was an agent's and no longer is; `role` asks the forge. Writes nothing."""
    pull = item.pull_request
    if pull is None or not pull.open or pull.head_repository != item.reference.repository:
        return None
    if not is_ours(pull.author, tools):
        return None
    push = forced(tools.github(role).timeline.of(item.reference), pull.head_commit)
    at = push.at if push else None
    if any(_speaks(each, pull.head_commit, at) for each in _told(item, tools)):
        return None
    who = _stranger(pull.head_commit, push, item, role, tools)
    if who is None:
        return None
    return Handover(pull.head_commit, SENTENCE.format(who=who, head=pull.head_commit[:12], label=HANDED_OVER), at)


def tell(item: Item, found: Handover, role: str, tools: Toolbox) -> None:
    """Label the item, then say so once; in this order, for a comment without the label says that it was given back."""
    issues = tools.github(role).issues
    issues.relabel(item.reference, add=[HANDED_OVER])
    if any(_speaks(each, found.head, found.at) for each in _told(item, tools)):
        return
    mark = f"{found.head} {found.at.isoformat()}" if found.at else found.head
    body = f"<!-- entropy:head {mark} -->\n{found.sentence}"
    mine = issues.ensure_comment(item.reference, marker=MARKER, body=body)
    # The role whose run ends by this says it, too: whoever was first has said it.
    told = _told(issues.get(item.reference), tools)
    first = min((each.id for each in told if _speaks(each, found.head, found.at)), default=mine)
    if first != mine:
        issues.remove_comment(item.reference, mine)
    log.warning("branch handed over", extra={"item": str(item.reference), "head": found.head})


def _speaks(comment: Comment, head: str, since: datetime | None) -> bool:
    """Whether a comment says of this head that it was noticed, and not of an earlier push of the same."""
    found = NOTICED.search(comment.body)
    return found is not None and found[1] == head and (since is None or comment.updated >= since)


def _told(item: Item, tools: Toolbox) -> list[Comment]:
    return [each for each in item.comments if bears(MARKER, each.body) and is_ours(each.author, tools)]


def _stranger(head: str, push: TimelineEvent | None, item: Item, role: str, tools: Toolbox) -> str | None:
    """Who pushed the head by force, or made it, if it was not one of us."""
    if push is not None and not is_ours(push.actor, tools):
        return quote(push.actor)
    return _maker(tools.github(role).trust.signature(item.reference.repository, head), tools)


def _maker(signature: Signature, tools: Toolbox) -> str | None:
    author, committer = (
        signature.author or by_address(signature.author_email),
        signature.committer or by_address(signature.committer_email),
    )
    for login in (author, committer):
        if login is None:
            return "Somebody"
        if login != WEB and not is_ours(login, tools):
            return quote(login)
    return None


def by_address(email: str) -> str | None:
    if email.startswith("noreply@"):  # the forge itself, also where it has no account of that name
        return WEB
    match = NOREPLY.fullmatch(email)
    return match[1] if match else None
