"""The work of a trial: repositories whose issues each ask for one small change that no other issue touches."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from entropy.forge.records import issues, repositories, users
from entropy.forge.store import Store

IDENTITIES = (
    ("entropy-coder", "write", "coder_github_token"),
    ("entropy-reviewer", "write", "reviewer_github_token"),
    ("entropy-merger", "write", "merger_github_token"),
    ("entropy-scheduler", "read", "scheduler_github_token"),
    ("ada", "admin", "ada"),
)


class Task(NamedTuple):
    """One issue and how long its agent takes."""

    repository: str
    number: int
    seconds: float


def tasks(count: int, *, over: int, every: int, seconds: float) -> tuple[Task, ...]:
    """`count` issues dealt out to repositories; each `every`-th takes `seconds`."""
    return tuple(
        Task(f"acme/chaos-{index % over}", index // over + 1, seconds if every and index % every == every // 2 else 0)
        for index in range(count)
    )


def seed(store: Store, secrets: Path, work: tuple[Task, ...], *, trigger: str, recipes: bool = True) -> None:
    """Make the repositories, their issues with the label that hands them on, and one identity for each role.

    Without `recipes` the issues ask for nothing that a coder could do.
    """
    secrets.mkdir(mode=0o700)
    for login, _, file in IDENTITIES:
        path = secrets / file
        path.touch(mode=0o600)
        path.write_text(store.add_user(login))
    for name in sorted({task.repository for task in work}):
        mine = [task for task in work if task.repository == name]
        store.import_repository(_tree(secrets.parent / "trees" / name, mine), name)
        for login, permission, _ in IDENTITIES:
            store.add_collaborator(name, login, permission)
        with store.write() as db:
            home, person = repositories.named(db, name), users.named(db, "ada")
            if home is None or person is None:
                raise AssertionError(f"{name} was not made")
            for task in mine:
                issue = issues.create(db, home["id"], person["id"], title=f"Change {task.number}", body="Please.")
                issues.add_labels(db, issue, person["id"], [*([f"recipe:{task.number}"] if recipes else ()), trigger])


def _tree(folder: Path, work: list[Task]) -> Path:
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("Chaos\n")
    (folder / ".entropy.toml").write_text("\n".join(['test = ["true"]', *_recipes(work)]))
    return folder


def _recipes(work: list[Task]) -> Iterator[str]:
    for task in work:
        script = f"sleep {task.seconds:g}; mkdir -p changes; echo {task.number} > changes/{task.number}.txt"
        yield (
            f'\n[[recipe]]\nname = "change {task.number}"\nlabel = "recipe:{task.number}"\n'
            f'command = ["sh", "-c", "{script}"]\npaths = ["changes/{task.number}.txt"]'
        )
