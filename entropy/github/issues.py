"""Issues, and what issues and pull requests share: reading them, commenting, labelling."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from entropy.github.connection import Connection, issue_path
from entropy.github.errors import Missing
from entropy.github.facts import label_names, login_of
from entropy.github.markers import bears, marked, same
from entropy.github.pulls import Pulls
from entropy.models import Comment, Item, WorkItem


class Issues:
    def __init__(self, connection: Connection, pulls: Pulls) -> None:
        self._connection = connection
        self._pulls = pulls

    def get(self, item: WorkItem) -> Item:
        """The item with all its comments and, when it is one, the pull request with reviews and checks."""
        row = self._connection.get(issue_path(item), tried=f"read {item}")
        comments = self._comments(item) if row["comments"] else []
        return Item(
            reference=item,
            title=row["title"],
            body=row["body"] or "",
            author=login_of(row["user"]),
            labels=label_names(row),
            open=row["state"] == "open",
            locked=row["locked"],
            url=row["html_url"],
            comments=tuple(_comment(comment) for comment in comments),
            pull_request=self._pulls.get(item) if "pull_request" in row else None,
        )

    def ensure_comment(self, item: WorkItem, *, marker: str, body: str) -> None:
        """One comment of ours per marker: written, or brought up to date. Only while holding the claim of the item."""
        wanted = marked(marker, body)
        for comment in self._comments(item):
            if login_of(comment["user"]) == self._connection.login and bears(marker, comment["body"]):
                if not same(comment["body"], wanted):
                    path = f"/repos/{item.repository}/issues/comments/{comment['id']}"
                    self._connection.write("PATCH", path, {"body": wanted}, target=item, action="edit the comment on")
                return
        self._connection.write(
            "POST", f"{issue_path(item)}/comments", {"body": wanted}, target=item, action="comment on"
        )

    def relabel(self, item: WorkItem, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Add, then remove: an item on its way from one role to the next is never without a label."""
        path, added = f"{issue_path(item)}/labels", tuple(dict.fromkeys(add))
        if added:
            self._connection.write(
                "POST", path, {"labels": list(added)}, target=item, action=f"add the label {', '.join(added)} to"
            )
        for label in dict.fromkeys(remove):
            if label not in added:
                self._unlabel(item, label)

    def _unlabel(self, item: WorkItem, label: str) -> None:
        path = f"{issue_path(item)}/labels/{quote(label, safe='')}"
        try:
            self._connection.write("DELETE", path, target=item, action=f"take the label {label} from")
        except Missing:
            return  # it is not there, which is what was wanted

    def _comments(self, item: WorkItem) -> list[dict[str, Any]]:
        return self._connection.rows(f"{issue_path(item)}/comments", tried=f"read the comments on {item}")


def _comment(row: dict[str, Any]) -> Comment:
    created = datetime.fromisoformat(row["created_at"])
    return Comment(author=login_of(row["user"]), body=row["body"] or "", created=created)
