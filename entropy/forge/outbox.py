"""From what happened to what hooks are told: inside the transaction, so that nothing that is saved goes untold."""

import json
import secrets
import sqlite3

from entropy.forge.present.hooks import pinged
from entropy.forge.present.payloads import Happened, payload, surroundings
from entropy.forge.present.view import View
from entropy.forge.records import deliveries, hooks, repositories
from entropy.forge.records.deliveries import Message
from entropy.forge.store import Store

ZEN = ("Keep it logically awesome.", "Design for failure.", "Approachable is better than simple.")


def fill(store: Store, db: sqlite3.Connection) -> None:
    """Write a delivery for every hook that wants to know of something that happened and was not told yet."""
    rows = db.execute("SELECT * FROM activity WHERE NOT told ORDER BY id").fetchall()
    if not rows:
        return
    db.execute("UPDATE activity SET told = 1 WHERE NOT told")
    if db.execute("SELECT 1 FROM hooks LIMIT 1").fetchone() is None:
        return
    for row in rows:
        _tell(store, db, row)


def _tell(store: Store, db: sqlite3.Connection, row: sqlite3.Row) -> None:
    detail = json.loads(row["detail"])
    home = repositories.numbered(db, row["repository_id"]) if row["repository_id"] else None
    for target in hooks.listening(db, home, detail):
        if not target.wants(row["event"]):
            continue
        view = View(db, target.hook["origin"])
        happened = Happened(row=row, detail=detail, home=home, git=store.git(home) if home else None)
        told = payload(view, happened, target.installation)
        if told is not None:
            installation = target.installation["id"] if target.installation else None
            message = Message(row["event"], told, home["id"] if home else None, installation)
            deliveries.post(db, target.hook["id"], message)


def ping(db: sqlite3.Connection, view: View, hook: sqlite3.Row, user_id: int) -> None:
    """Tell a hook that it is there."""
    told = {"zen": secrets.choice(ZEN), "hook_id": hook["id"], "hook": pinged(view, hook)}
    home = view.home(hook["repository_id"])
    deliveries.post(db, hook["id"], Message("ping", {**told, **surroundings(view, home, user_id, None)}, home["id"]))
