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
from entropy.items import Comment, Item
from entropy.models import WorkItem


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

    def changed(self, item: WorkItem, *, since: str | None) -> str | None:
        """What to ask with the next time; None when nothing changed `since`, which the forge does not charge for."""
        answer = self._connection.compare(issue_path(item), etag=since, tried=f"look after {item}")
        return None if answer.data is None else answer.etag or ""

    def ensure_comment(self, item: WorkItem, *, marker: str, body: str, known: int | None = None) -> int:
        """One comment of ours per marker: written, or brought up to date; gives its id.

        `known`: the id that an earlier call gave. It is asked for directly, for a list of comments may lag behind.
        """
        wanted = marked(marker, body)
        if known is not None and self._edited(item, known, wanted):
            return known
        if (found := self._only(item, marker)) is not None:
            if not same(found["body"], wanted):
                self._edited(item, found["id"], wanted)
            return int(found["id"])
        made = self._connection.write(
            "POST", f"{issue_path(item)}/comments", {"body": wanted}, target=item, action="comment on"
        )
        # Between our look and our write somebody else of us may have written, while this process stood still.
        first = self._only(item, marker)
        return int(first["id"] if first is not None else made["id"])

    def add_comment(self, item: WorkItem, *, marker: str, body: str) -> Comment:
        """One more comment with the marker, whatever is there."""
        path = f"{issue_path(item)}/comments"
        return _comment(
            self._connection.write("POST", path, {"body": marked(marker, body)}, target=item, action="comment on")
        )

    def remove_comment(self, item: WorkItem, comment: int) -> None:
        """Gone already is gone."""
        try:
            self._connection.write("DELETE", _comment_path(item, comment), target=item, action="take back a comment on")
        except Missing:
            return

    def _only(self, item: WorkItem, marker: str) -> dict[str, Any] | None:
        """Our first comment with the marker; what doubles it is deleted."""
        login = self._connection.login
        ours = [row for row in self._comments(item) if login_of(row["user"]) == login and bears(marker, row["body"])]
        for double in ours[1:]:
            self._connection.write("DELETE", _comment_path(item, double["id"]), target=item, action="fold a comment on")
        return ours[0] if ours else None

    def _edited(self, item: WorkItem, comment: int, wanted: str) -> bool:
        """False when the comment is gone."""
        try:
            self._connection.write(
                "PATCH", _comment_path(item, comment), {"body": wanted}, target=item, action="edit the comment on"
            )
        except Missing:
            return False
        return True

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


def _comment_path(item: WorkItem, comment: int) -> str:
    return f"/repos/{item.repository}/issues/comments/{comment}"


def _comment(row: dict[str, Any]) -> Comment:
    return Comment(
        id=row["id"],
        author=login_of(row["user"]),
        body=row["body"] or "",
        created=datetime.fromisoformat(row["created_at"]),
        updated=datetime.fromisoformat(row["updated_at"]),
    )
