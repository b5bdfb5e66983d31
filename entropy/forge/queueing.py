"""The merge queue in its simplest form: pull requests wait in order, and each is merged when it may be merged."""

import sqlite3

from entropy.forge.comparisons import compare
from entropy.forge.gitrepo import GitRepository
from entropy.forge.landing import land
from entropy.forge.protection import obstacles
from entropy.forge.records import issues, pulls, queue, repositories
from entropy.forge.store import Store
from entropy.forge.tracking import follow

WAITING = ("expected", "in progress")
"""What an obstacle that time may remove says."""


class Impossible(Exception):
    """This pull request cannot be queued; the message is GitHub's."""


def admit(db: sqlite3.Connection, git: GitRepository, pull: sqlite3.Row, user_id: int, *, expected: str | None) -> None:
    """Put a pull request at the end of its base's queue; raises Impossible."""
    if queue.method(db, pull["repository_id"], pull["base_ref"]) is None:
        raise Impossible("Merge queue is not enabled for this branch")
    if queue.entry(db, pull["id"]):
        raise Impossible("Pull request is already in the merge queue")
    if pull["state"] == "closed" or pull["draft"]:
        raise Impossible("Pull request is in draft state" if pull["draft"] else "Pull request is closed")
    if expected and expected != pull["head_sha"]:
        raise Impossible("Head branch was modified. Review and try the merge again.")
    if compare(git, pull["base_sha"], pull["head_sha"]).tree is None:
        raise Impossible("Pull request has merge conflicts")
    queue.enqueue(db, pull, user_id)


def advance(store: Store) -> None:
    """Merge the first of each queue that may be merged now, and throw out what never will."""
    with store.read() as db:
        found = queue.waiting(db)
    seen: set[tuple[int, str]] = set()
    for pull in found:
        branch = pull["repository_id"], pull["base_ref"]
        if branch not in seen:
            seen.add(branch)
            _try(store, pull["id"])


def _try(store: Store, pull_id: int) -> None:
    with store.write() as db:
        pull = next((row for row in queue.waiting(db) if row["id"] == pull_id), None)
        if pull is None:
            return
        home = repositories.numbered(db, pull["repository_id"])
        git, user_id = store.git(home), pull["queued_by"]
        follow(db, home, git, user_id=user_id)
        fresh = issues.numbered(db, pull_id)
        if fresh["state"] == "closed":
            queue.dequeue(db, fresh, user_id, "MERGE" if fresh["merged"] else "DEQUEUED")
        elif fresh["head_sha"] != pull["queued_sha"]:
            queue.dequeue(db, fresh, user_id, "BRANCH_PROTECTIONS")
        elif (tree := compare(git, fresh["base_sha"], fresh["head_sha"]).tree) is None:
            queue.dequeue(db, fresh, user_id, "MERGE_CONFLICT")
        elif told := obstacles(db, fresh, behind=False):
            if not any(word in told[0] for word in WAITING):
                queue.dequeue(db, fresh, user_id, "CI_FAILURE" if "check" in told[0] else "BRANCH_PROTECTIONS")
        else:
            queue.dequeue(db, fresh, user_id, "MERGE")
            _merge(db, git, fresh, tree, user_id)


def _merge(db: sqlite3.Connection, git: GitRepository, pull: sqlite3.Row, tree: str, user_id: int) -> None:
    home = repositories.numbered(db, pull["repository_id"])
    method = queue.method(db, home["id"], pull["base_ref"]) or "merge"
    message = f"Merge pull request #{pull['number']} from {home['owner']}/{pull['head_ref']}\n\n{pull['title']}\n"
    commit = land(db, git, pull, (tree, method, message), user_id)
    if commit:
        closes = pull["base_ref"] == home["default_branch"]
        pulls.complete(db, pull, commit=commit, user_id=user_id, closes=closes)
        follow(db, home, git, user_id=user_id)
