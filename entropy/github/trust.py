"""What somebody may do in a repository, and who had the last hand in a text or a branch: as the forge says now."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from entropy.github.connection import Connection
from entropy.github.errors import Missing
from entropy.github.facts import GHOST, login_of
from entropy.models import Noun, WorkItem

WRITERS = frozenset({"admin", "maintain", "write"})

LAST_EDIT = """
query LastEdit($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issueOrPullRequest(number: $number) {
      ... on Issue { lastEditedAt editor { login } }
      ... on PullRequest { lastEditedAt editor { login } }
    }
  }
}
"""


class Permission(Noun):
    """What an account may do in a repository; `role` is the word that people see in its settings."""

    level: str
    role: str

    @property
    def may_write(self) -> bool:
        return self.level in WRITERS


NO_PERMISSION = Permission(level="none", role="no")


class Edit(Noun):
    """The last change of an item's text."""

    editor: str
    at: datetime


class Signature(Noun):
    """Whom a commit names: logins where the forge knows the address, None elsewhere."""

    author: str | None
    committer: str | None
    author_email: str
    committer_email: str


class Trust:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def permission(self, repository: str, login: str) -> Permission:
        """Asked anew each time. Custom roles count as the role that they are built on."""
        if login == GHOST:
            return NO_PERMISSION
        path = f"/repos/{repository}/collaborators/{quote(login, safe='')}/permission"
        try:
            found = self._connection.get(path, tried=f"ask what {login} may do in {repository}")
        except Missing:
            return NO_PERMISSION
        return Permission(level=found["permission"], role=found.get("role_name") or found["permission"])

    def last_edit(self, item: WorkItem) -> Edit | None:
        """Who changed the item's text last, and when; None when it is as it was written."""
        owner, _, name = item.repository.partition("/")
        variables = {"owner": owner, "name": name, "number": item.number}
        answer = self._connection.graphql(LAST_EDIT, variables, name="LastEdit", tried=f"ask who edited {item}")
        found = (answer.get("repository") or {}).get("issueOrPullRequest")
        if found is None:
            raise Missing(f"Could not ask who edited {item}: it is gone, or not shown to this role.")
        if not found["lastEditedAt"]:
            return None
        return Edit(editor=login_of(found["editor"]), at=datetime.fromisoformat(found["lastEditedAt"]))

    def signature(self, repository: str, commit: str) -> Signature:
        row = self._connection.get(f"/repos/{repository}/commits/{quote(commit)}", tried=f"read {repository}@{commit}")
        return Signature(
            author=_login(row["author"]),
            committer=_login(row["committer"]),
            author_email=str(row["commit"]["author"]["email"]),
            committer_email=str(row["commit"]["committer"]["email"]),
        )


def _login(user: dict[str, Any] | None) -> str | None:
    return str(user["login"]) if user and "login" in user else None
