"""Locking: in a locked conversation only people with permission have a say."""

import sqlite3

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.permissions import Level
from entropy.forge.records import locks
from entropy.forge.refusals import Refusal
from entropy.forge.routes.issues import ISSUE


def lock(call: Call) -> Reply:
    reason = call.body.of("Issue").choice("lock_reason", locks.REASONS, "") or None
    locks.lock(call.db, call.issue(), call.my_id, reason)
    return Reply(204)


def unlock(call: Call) -> Reply:
    locks.unlock(call.db, call.issue(), call.my_id)
    return Reply(204)


def refuse_locked(call: Call, issue: sqlite3.Row) -> None:
    if call.level < Level.WRITE and locks.of(call.db, issue["id"]):
        raise Refusal(403, "Unable to create comment because issue is locked.")


TABLE = (
    Endpoint("PUT", f"{ISSUE}/lock", lock, Level.TRIAGE),
    Endpoint("DELETE", f"{ISSUE}/lock", unlock, Level.TRIAGE),
)
