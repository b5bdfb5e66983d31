"""A branch that changes hands: when a person pushed to an agent's branch, it is theirs until they give it back.

What is known of it stands on the forge: the label says that agents rest, and one comment which head was noticed. A head
that was noticed, without the label, was given back.
"""

import logging
import re
from typing import NamedTuple

from entropy.github.markers import bears
from entropy.github.trust import Signature
from entropy.items import Comment, Item
from entropy.lifecycle.signs import HANDED_OVER
from entropy.lifecycle.trust import is_ours
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

MARKER = "entropy:handover"
NOTICED = re.compile(r"^<!-- entropy:head ([0-9a-f]+) -->$", re.MULTILINE)
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


def handover(item: Item, role: str, tools: Toolbox) -> Handover | None:
    """Whose the branch is, if it was an agent's and no longer is; `role` asks the forge. Writes nothing."""
    pull = item.pull_request
    if pull is None or not pull.open or pull.head_repository != item.reference.repository:
        return None
    if not is_ours(pull.author, tools) or pull.head_commit in _noticed(item, tools):
        return None
    signature = tools.github(role).trust.signature(item.reference.repository, pull.head_commit)
    stranger = _stranger(signature, tools)
    if stranger is None:
        return None
    sentence = SENTENCE.format(who=stranger, head=pull.head_commit[:12], label=HANDED_OVER)
    return Handover(pull.head_commit, sentence)


def tell(item: Item, found: Handover, role: str, tools: Toolbox) -> None:
    """Label the item, then say so once; in this order, for a comment without the label says that it was given back."""
    issues = tools.github(role).issues
    issues.relabel(item.reference, add=[HANDED_OVER])
    if found.head in _noticed(item, tools):
        return
    body = f"<!-- entropy:head {found.head} -->\n{found.sentence}"
    mine = issues.ensure_comment(item.reference, marker=MARKER, body=body)
    # The role whose run ends by this says it, too: whoever was first has said it.
    told = _told(issues.get(item.reference), tools)
    first = min((comment.id for comment in told if found.head in comment.body), default=mine)
    if first != mine:
        issues.remove_comment(item.reference, mine)
    log.warning("branch handed over", extra={"item": str(item.reference), "head": found.head})


def _noticed(item: Item, tools: Toolbox) -> set[str]:
    """The heads that a comment of ours speaks of."""
    return {found[1] for comment in _told(item, tools) if (found := NOTICED.search(comment.body))}


def _told(item: Item, tools: Toolbox) -> list[Comment]:
    return [each for each in item.comments if bears(MARKER, each.body) and is_ours(each.author, tools)]


def _stranger(signature: Signature, tools: Toolbox) -> str | None:
    """Who made the head, if it was not one of us."""
    author, committer = (
        signature.author or by_address(signature.author_email),
        signature.committer or by_address(signature.committer_email),
    )
    for login in (author, committer):
        if login is None:
            return "Somebody"
        if login != WEB and not is_ours(login, tools):
            return f"`{login}`"
    return None


def by_address(email: str) -> str | None:
    if email.startswith("noreply@"):  # the forge itself, also where it has no account of that name
        return WEB
    match = NOREPLY.fullmatch(email)
    return match[1] if match else None
