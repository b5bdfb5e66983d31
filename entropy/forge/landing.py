"""How a merge gets onto its base branch, so that a forge that dies in between knows it afterwards."""

import sqlite3

from entropy.forge.gitrepo import GitRepository
from entropy.forge.records import pulls, users


def land(
    db: sqlite3.Connection, git: GitRepository, pull: sqlite3.Row, result: tuple[str, str, str], user_id: int
) -> str | None:
    """The commit that the base branch is at now, None where it has moved meanwhile.

    `result` is the merged tree, merge or squash, and the message. The transaction is saved on the way.
    """
    tree, method, message = result
    parents = (pull["base_sha"], pull["head_sha"]) if method == "merge" else (pull["base_sha"],)
    commit = git.commit_tree(tree, parents=parents, message=message, author=signature(users.known(db, user_id)))
    pulls.intend(db, pull["id"], commit=commit, user_id=user_id)
    _save(db)
    if git.update_ref(f"refs/heads/{pull['base_ref']}", new=commit, old=pull["base_sha"]):
        return commit
    pulls.intend(db, pull["id"], commit=None, user_id=user_id)
    _save(db)
    return None


def _save(db: sqlite3.Connection) -> None:
    db.commit()
    db.execute("BEGIN IMMEDIATE")


def signature(user: sqlite3.Row) -> str:
    return f"{user['name'] or user['login']} <{users.mail(user)}>"
