"""How pull requests follow their branches, how pushes are told, and how a merge that was cut short is finished."""

import sqlite3

from entropy.forge.gitrepo import ABSENT, GitRepository
from entropy.forge.records import activity, issues, pulls, repositories, tips
from entropy.forge.store import Store


def follow_all(store: Store) -> None:
    """At the start: what was pushed or half merged when the forge ended."""
    with store.write() as db:
        for repository in repositories.everyone(db):
            follow(db, repository, store.git(repository))


def follow(db: sqlite3.Connection, repository: sqlite3.Row, git: GitRepository, *, user_id: int | None = None) -> None:
    """Inside a write transaction: bring every open pull request up to its branches; `user_id` has moved them."""
    refs = git.tips()
    _tell(db, repository, git, refs, user_id or repository["owner_id"])
    for pull in pulls.open_ones(db, repository["id"]):
        tips_of = (refs.get(f"refs/heads/{pull[side]}") for side in ("head_ref", "base_ref"))
        head, base = (tip or pull[name] for tip, name in zip(tips_of, ("head_sha", "base_sha"), strict=True))
        if pull["pending"]:
            _settle(db, pull, git, base)
        elif (head, base) != (pull["head_sha"], pull["base_sha"]):
            forced = head != pull["head_sha"] and not git.is_ancestor(pull["head_sha"], head)
            pulls.move(db, pull, user_id or pull["user_id"], (head, base), forced=forced)
            show(git, pull["number"], head)


def _tell(
    db: sqlite3.Connection, repository: sqlite3.Row, git: GitRepository, refs: dict[str, str], user_id: int
) -> None:
    """One push for every branch and tag that is not where it was; the first look only remembers."""
    former = tips.known(db, repository["id"])
    if former == refs:
        return
    tips.remember(db, repository["id"], refs)
    for name in sorted(former.keys() | refs.keys()) if former else ():
        before, after = former.get(name, ABSENT), refs.get(name, ABSENT)
        if before != after:
            moved = ABSENT not in {before, after}
            forced = moved and not git.is_ancestor(before, after)
            detail = {"ref": name, "before": before, "after": after, "forced": forced}
            activity.tell(db, (repository["id"], None), user_id, "push", detail=detail)


def _settle(db: sqlite3.Connection, pull: sqlite3.Row, git: GitRepository, base: str) -> None:
    home = repositories.numbered(db, pull["repository_id"])
    if git.is_ancestor(pull["pending"], base):
        closes = pull["base_ref"] == home["default_branch"]
        pulls.complete(db, pull, commit=pull["pending"], user_id=pull["pending_by"], closes=closes)
    else:
        pulls.intend(db, pull["id"], commit=None, user_id=pull["pending_by"])


def show(git: GitRepository, number: int, head: str) -> None:
    """Offer the head as ``refs/pull/N/head``, which stays when the branch goes."""
    name = f"refs/pull/{number}/head"
    git.update_ref(name, new=head, old=git.ref(name) or ABSENT)


def current(store: Store, db: sqlite3.Connection, repository: sqlite3.Row, pull: sqlite3.Row) -> sqlite3.Row:
    """The pull request as its branches are now; `db` may be for looking only."""
    git = store.git(repository)
    tips = git.branch(pull["head_ref"]), git.branch(pull["base_ref"])
    known = pull["head_sha"], pull["base_sha"]
    if pull["state"] == "closed" or all(tip in {None, sha} for tip, sha in zip(tips, known, strict=True)):
        return pull
    if db.in_transaction:
        follow(db, repository, git)
    else:
        with store.write() as writer:
            follow(writer, repository, git)
    return issues.numbered(db, pull["id"])
