"""What somebody may do in a repository, and who had the last hand in a text or a branch: as the forge says now."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from entropy.github.connection import Connection
from entropy.github.errors import Missing
from entropy.github.facts import GHOST, login_of
from entropy.models import Noun, WorkItem

WRITERS = frozenset({"admin", "maintain", "write"})

EDITED = """
  createdAt
  author { __typename login }
  lastEditedAt
  editor { __typename login }
  userContentEdits(first: 100, after: $after) {
    nodes { editedAt editor { __typename login } }
    pageInfo { hasNextPage endCursor }
  }
"""
EDITS = f"""
query Edits($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    issueOrPullRequest(number: $number) {{
      ... on Issue {{ {EDITED} }}
      ... on PullRequest {{ {EDITED} }}
    }}
  }}
}}
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
    """A change of an item's text."""

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

    def edits(self, item: WorkItem) -> tuple[Edit, ...]:
        """Who changed the item's text since it was written, in no order; each hand in it, not the last alone."""
        found: list[Edit] = []
        after: str | None = None
        while True:
            text = self._edited(item, after)
            history = text["userContentEdits"] or {"nodes": (), "pageInfo": {"hasNextPage": False}}
            found += [_edit(row["editor"], row["editedAt"]) for row in history["nodes"] if row]
            if not history["pageInfo"]["hasNextPage"]:
                break
            after = history["pageInfo"]["endCursor"]
        first = _edit(text["author"], text["createdAt"])
        if first in found:  # the history of a text that was edited begins with how it was written
            found.remove(first)
        last = (_edit(text["editor"], text["lastEditedAt"]),) if text["lastEditedAt"] else ()
        return tuple({*found, *last})

    def _edited(self, item: WorkItem, after: str | None) -> dict[str, Any]:
        owner, _, name = item.repository.partition("/")
        variables = {"owner": owner, "name": name, "number": item.number, "after": after}
        answer = self._connection.graphql(EDITS, variables, name="Edits", tried=f"ask who edited {item}")
        found: dict[str, Any] | None = (answer.get("repository") or {}).get("issueOrPullRequest")
        if found is None:
            raise Missing(f"Could not ask who edited {item}: it is gone, or not shown to this role.")
        return found

    def signature(self, repository: str, commit: str) -> Signature:
        row = self._connection.get(f"/repos/{repository}/commits/{quote(commit)}", tried=f"read {repository}@{commit}")
        return Signature(
            author=_login(row["author"]),
            committer=_login(row["committer"]),
            author_email=str(row["commit"]["author"]["email"]),
            committer_email=str(row["commit"]["committer"]["email"]),
        )


def _edit(editor: dict[str, Any] | None, at: str) -> Edit:
    """GraphQL names a bot without the suffix by which the rest of the forge tells it from a person."""
    login = login_of(editor)
    bot = editor is not None and editor["__typename"] == "Bot" and not login.endswith("[bot]")
    return Edit(editor=f"{login}[bot]" if bot else login, at=datetime.fromisoformat(at))


def _login(user: dict[str, Any] | None) -> str | None:
    return str(user["login"]) if user and "login" in user else None
