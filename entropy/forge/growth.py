"""How a record that an earlier version of the forge made is brought to the present schema."""

import contextlib
import sqlite3
from importlib.resources import files

from entropy.forge.records import versions


def bring_up(db: sqlite3.Connection) -> None:
    """Inside a write transaction: make what is missing, tables and columns; nothing is ever taken away."""
    statements = files("entropy.forge").joinpath("schema.sql").read_text().split(";\n")
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        for statement in statements:
            model.execute(statement)
        for (table,) in model.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            _widen(db, table, model.execute(f"PRAGMA table_info({table})").fetchall())
    for statement in statements:
        db.execute(statement)
    versions.install(db)


def _widen(db: sqlite3.Connection, table: str, columns: list[tuple[int, str, str, int, str | None, int]]) -> None:
    known = {row["name"] for row in db.execute(f"PRAGMA table_info({table})")}
    for _, name, kind, needed, default, _ in columns if known else ():
        if name not in known:
            rest = f"{' NOT NULL' if needed else ''}{'' if default is None else f' DEFAULT {default}'}"
            db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}{rest}")
