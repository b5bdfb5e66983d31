"""Progress: what a run saw of its item, as a key; an unchanged key is not worked on again beyond a small cap.

The count stands in the role's sticky comment on the item, so that it outlives Redis and is shared by installations.
"""

import hashlib
import json
import re

from entropy.github.markers import bears
from entropy.items import Assignment, Comment, Item
from entropy.models import Progress

OURS = "<!-- entropy:"
DATA = re.compile(r"^<!-- entropy:progress (\{.*\}) -->$", re.MULTILINE)


def status_marker(role: str) -> str:
    """The marker of the role's one comment on an item."""
    return f"entropy:status:{role}"


def key_of(assignment: Assignment) -> str:
    """A digest of what decides whether another run could come to anything else.

    Text, head, checks, reviews, base, configuration, labels and comments; our own labels and comments are left out,
    for they change because we run.
    """
    item, pull = assignment.item, assignment.item.pull_request
    seen = [
        assignment.role,
        item.title,
        item.body,
        assignment.base_commit,
        assignment.config.model_dump_json(),
        sorted(label for label in item.labels if not label.startswith("entropy:")),
        [(comment.author, comment.body) for comment in item.comments if not comment.body.startswith(OURS)],
        sorted((check.name, check.state) for check in pull.checks) if pull else [],
        [(review.author, review.state, review.commit) for review in pull.reviews] if pull else [],
    ]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def progress_of(item: Item, role: str, *, login: str, key: str) -> Progress:
    """How often the role has worked on the item as it is now, by its own comment."""
    known = status_of(item, role, login=login)
    if known is not None and known[0].key == key:
        return known[0]
    return Progress(key=key, count=0, rounds=known[0].rounds if known else 0)


def status_of(item: Item, role: str, *, login: str) -> tuple[Progress, Comment] | None:
    """What the role's own comment on the item holds, whatever the item was like then."""
    marker = status_marker(role)
    for comment in item.comments:
        if comment.author == login and bears(marker, comment.body) and (found := DATA.search(comment.body)):
            return Progress.model_validate_json(found[1]), comment
    return None


def with_progress(progress: Progress | None, text: str) -> str:
    """The body of the sticky comment: the count hidden, the text for people."""
    return text if progress is None else f"<!-- entropy:progress {progress.model_dump_json()} -->\n{text}"
