"""Many repositories on a forge at once: rows, and one bare repository that all of them share."""

from collections.abc import Sequence
from pathlib import Path

from entropy.forge.records import repositories
from entropy.forge.store import Store

OWNER = "acme"
PERSON = "ada"
CODER = "entropy-coder"
SCHEDULER = "entropy-scheduler"


def grow(store: Store, folder: Path, count: int) -> list[str]:
    """The names of `count` new repositories, in which the person and the coder may write; the forge may be running."""
    source = folder / "source"
    source.mkdir()
    (source / "README").write_text("Nothing to see.\n")
    first = f"{OWNER}/r00000"
    branch = store.import_repository(source, first)
    for login in (PERSON, CODER):
        store.add_user(login)
    with store.write() as db:
        home = repositories.named(db, first)
        assert home is not None
        shared = store.directory(home)
        rows = []
        for number in range(1, count):
            name = f"r{number:05d}"
            (store.data / "repositories" / f"{name}.git").symlink_to(shared)
            rows.append((home["owner_id"], name, branch, f"{name}.git", home["created"], home["updated"]))
        db.executemany(
            "INSERT INTO repositories (owner_id, name, default_branch, directory, created, updated)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            rows,
        )
        db.execute(
            "INSERT INTO collaborators (repository_id, user_id, permission)"
            " SELECT repositories.id, users.id, 'write' FROM repositories JOIN users ON login IN (?, ?)",
            (PERSON, CODER),
        )
        names: Sequence[str] = [row["full_name"] for row in repositories.everyone(db)]
    return list(names)
