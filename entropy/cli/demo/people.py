"""Who is on the demo's forge: one account for each role, and the person who files the issues."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from entropy.forge.store import Store

PERSON = "ada"


class Account(NamedTuple):
    login: str
    name: str
    permission: str


ROLES = {
    "coder": Account("entropy-coder", "Entropy Coder", "write"),
    "reviewer": Account("entropy-reviewer", "Entropy Reviewer", "write"),
    "merger": Account("entropy-merger", "Entropy Merger", "write"),
    "scheduler": Account("entropy-scheduler", "Entropy Scheduler", "read"),
}


def enrol(store: "Store", repositories: Sequence[str]) -> tuple[str, Mapping[str, str]]:
    """Make the accounts and let each into every repository; the person's token and the roles' tokens come back."""
    person = _account(store, Account(PERSON, "Ada", "admin"), repositories)
    return person, {role: _account(store, account, repositories) for role, account in ROLES.items()}


def _account(store: "Store", account: Account, repositories: Sequence[str]) -> str:
    token = store.add_user(account.login, account.name)
    for repository in repositories:
        store.add_collaborator(repository, account.login, account.permission)
    return token


def write_tokens(folder: Path, tokens: Mapping[str, str]) -> None:
    """As the ``files`` secret provider reads them."""
    folder.mkdir(mode=0o700)
    for role, token in tokens.items():
        path = folder / f"{role}_github_token"
        path.touch(mode=0o600)
        path.write_text(token)
