"""A forge with a repository and the people around it, every exchange with it written down and judged."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from entropy.github import GitHub
from entropy.github.connection import Connection
from entropy.models import Secret, WorkItem
from entropy.settings import GitHubSettings
from tests.contract.contract import github
from tests.contract.validator import Validating
from tests.forge_server import ForgeServer, running_forge

REPOSITORY = "acme/widgets"
LINES = "".join(f"line {number}\n" for number in range(1, 41))


class World:
    def __init__(self, forge: ForgeServer, judge: Validating, tokens: dict[str, str], folder: Path) -> None:
        self.judge = judge
        self.store = forge.store
        self._settings = GitHubSettings(api=forge.api)
        self._secrets = {login: Secret(token) for login, token in tokens.items()}
        self._remote = forge.remote(REPOSITORY, tokens["coder"])
        self._clone = folder / "clone"

    def acting_as(self, login: str) -> GitHub:
        return GitHub(self._settings, self._secrets.get(login, Secret("nobody")))

    def person(self, login: str, verb: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What somebody does with the API besides what Entropy does."""
        connection = Connection(self._settings, self._secrets[login])
        try:
            return connection.write(verb, f"/repos/{REPOSITORY}{path}", body, target=path, action=verb)
        finally:
            connection.close()

    def issue(self, title: str = "A bug", *labels: str, author: str = "owner") -> WorkItem:
        made = self.person(author, "POST", "/issues", {"title": title, "body": "It is broken.", "labels": [*labels]})
        return WorkItem(repository=REPOSITORY, number=made["number"])

    def change(self, branch: str, **files: str) -> str:
        """Push a commit with `files` to `branch`, from the default branch where it is new; gives the commit."""
        if not self._clone.exists():
            self._git("clone", "-q", self._remote, str(self._clone), at=self._clone.parent)
        self._git("fetch", "-q", "--prune")
        known = f"origin/{branch}" in self._git("branch", "-r", "--format=%(refname:short)").split()
        self._git("checkout", "-q", "-B", branch, f"origin/{branch}" if known else "origin/HEAD")
        for name, text in files.items():
            (self._clone / name).write_text(text)
        self._git("add", "-A")
        self._git("-c", "user.name=coder", "-c", "user.email=coder@example.org", "commit", "-q", "-m", "Change")
        self._git("push", "-q", "origin", branch)
        return self._git("rev-parse", "HEAD").strip()

    def pull(self, branch: str, **files: str) -> tuple[WorkItem, str]:
        """A pull request of `branch` by coder, and its head."""
        head = self.change(branch, **files)
        with self.acting_as("coder") as coder:
            number = coder.pulls.ensure(REPOSITORY, branch=branch, base="main", title=branch, body="Please.")
        return WorkItem(repository=REPOSITORY, number=number), head

    def _git(self, *arguments: str, at: Path | None = None) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=at or self._clone, check=True, capture_output=True, text=True).stdout


@contextmanager
def running_world(folder: Path) -> Iterator[World]:
    source = folder / "source"
    source.mkdir()
    (source / "text.txt").write_text(LINES)
    judges: list[Validating] = []

    def judged(app: Any) -> Any:
        judges.append(Validating(app, github()))
        return judges[0]

    with running_forge(folder, wrap=judged) as forge:
        forge.store.import_repository(source, REPOSITORY)
        permissions = {"owner": "admin", "coder": "write", "reviewer": "write", "stranger": "read"}
        tokens = {
            login: forge.store.enrol(login, name=None, full_name=REPOSITORY, permission=permission)
            for login, permission in permissions.items()
        }
        yield World(forge, judges[0], tokens, folder)
