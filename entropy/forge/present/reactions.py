"""Reactions as JSON."""

import sqlite3
from typing import Any

from entropy.forge.present.view import View, node_id
from entropy.forge.records import reactions


def reaction(view: View, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "node_id": node_id("Reaction", row["id"]),
        "user": view.known_user(row["user_id"]),
        "content": row["content"],
        "created_at": row["created"],
    }


def rollup(view: View, subject: tuple[str, int], url: str) -> dict[str, Any]:
    """How many of each; `subject` is a kind and an id, at the address `url`."""
    found = reactions.counted(view.db, *subject)
    counts = {content: found.get(content, 0) for content in reactions.CONTENTS}
    return {"url": f"{url}/reactions", "total_count": sum(counts.values()), **counts}
