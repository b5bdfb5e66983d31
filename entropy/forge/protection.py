"""Whether a protected branch takes a pull request in, in GitHub's words where it does not."""

import sqlite3

from entropy.forge.permissions import Level, level
from entropy.forge.records import protections, repositories, reviews, statuses, users


def obstacles(db: sqlite3.Connection, pull: sqlite3.Row, *, behind: bool) -> list[str]:
    """Empty where nothing is in the way; `behind` says that the base has commits which the head has not."""
    rules = protections.get(db, pull["repository_id"], pull["base_ref"])
    if rules is None:
        return []
    found = _missing_reviews(db, pull, rules["reviews"]) if rules["reviews"] else []
    if rules["checks"]:
        found += _missing_checks(db, pull, rules["checks"]["contexts"])
        if rules["checks"]["strict"] and behind:
            found.append("The head branch is not up to date with the base branch.")
    return found


def outdated(db: sqlite3.Connection, pull: sqlite3.Row, *, behind: bool) -> bool:
    """Whether nothing but newer commits of the base is in the way."""
    return bool(behind and obstacles(db, pull, behind=True) and not obstacles(db, pull, behind=False))


def unstable(db: sqlite3.Connection, pull: sqlite3.Row) -> bool:
    """Whether something that is said about the head is not green, required or not."""
    return bool(set(statuses.verdicts(db, (pull["repository_id"], pull["head_sha"])).values()) - {"success"})


def _missing_checks(db: sqlite3.Connection, pull: sqlite3.Row, required: list[str]) -> list[str]:
    known = statuses.verdicts(db, (pull["repository_id"], pull["head_sha"]))
    words = {"failure": "failing", "pending": "in progress"}
    states = {name: words.get(known.get(name, ""), "expected") for name in required if known.get(name) != "success"}
    if len(states) < 2:
        return [f'Required status check "{name}" is {state}.' for name, state in states.items()]
    counted = [f"{list(states.values()).count(word)} {word}" for word in sorted(set(states.values()))]
    told = " and ".join([", ".join(counted[:-1]), counted[-1]] if len(counted) > 1 else counted)
    return [f"{len(states)} of {len(required)} required status checks have not succeeded: {told}."]


def _missing_reviews(db: sqlite3.Connection, pull: sqlite3.Row, rules: dict[str, int | bool]) -> list[str]:
    home = repositories.numbered(db, pull["repository_id"])
    counted = [
        row
        for row in reviews.verdicts(db, pull["id"])
        if level(db, home, users.known(db, row["user_id"])) >= Level.WRITE
        and not (rules["dismiss_stale"] and row["commit_sha"] != pull["head_sha"])
    ]
    if any(row["state"] == "CHANGES_REQUESTED" for row in counted):
        return ["Changes were requested by a reviewer with write access."]
    needed, given = int(rules["count"]), sum(row["state"] == "APPROVED" for row in counted)
    if given >= needed:
        return []
    many = "s are" if needed > 1 else " is"
    return [f"At least {needed} approving review{many} required by reviewers with write access."]
