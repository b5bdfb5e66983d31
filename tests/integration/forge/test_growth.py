"""A folder that an earlier version of the forge filled is brought to the present schema, with all that is in it."""

import contextlib
import sqlite3
from pathlib import Path

from entropy.forge.records import issues, repositories, users
from entropy.forge.store import Store


def test_columns_that_came_later_are_added(tmp_path: Path, source: Path) -> None:
    with Store(tmp_path / "data") as store:
        store.import_repository(source, "acme/rocket")
        store.add_user("ada")
        with store.write() as db:
            for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {name}")
            for column in ("archived", "deleted", "version"):
                db.execute(f"ALTER TABLE repositories DROP COLUMN {column}")
            db.execute("DROP TABLE former_names")
    with Store(tmp_path / "data") as store:
        with store.write() as db:
            home, ada = repositories.named(db, "acme/rocket"), users.named(db, "ada")
            assert home is not None
            assert ada is not None
            assert (home["archived"], home["deleted"], home["version"]) == (0, None, 0)
            issues.create(db, home["id"], ada["id"], title="One", body=None)
            assert repositories.numbered(db, home["id"])["version"] > 0
        store.rename("acme/rocket", "shuttle")
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "forge.db")) as db:
        assert db.execute("SELECT name FROM former_names").fetchall() == [("rocket",)]
