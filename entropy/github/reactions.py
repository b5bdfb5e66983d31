"""Reactions to comments: how Entropy shows that it has read one, and sees that it had."""

from typing import Literal, NamedTuple

from entropy.github.connection import Connection
from entropy.github.facts import login_of
from entropy.models import WorkItem

Content = Literal["eyes", "rocket", "confused"]


class Reaction(NamedTuple):
    author: str
    content: str


class Reactions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, item: WorkItem, comment: int) -> tuple[Reaction, ...]:
        """Everybody's; raises `Missing` when the comment is gone."""
        rows = self._connection.rows(_path(item, comment), tried=f"read the reactions to a comment on {item}")
        return tuple(Reaction(login_of(row["user"]), row["content"]) for row in rows)

    def add(self, item: WorkItem, comment: int, content: Content) -> None:
        """React; a second time is the same as once."""
        self._connection.write(
            "POST", _path(item, comment), {"content": content}, target=item, action=f"react with {content} on"
        )


def _path(item: WorkItem, comment: int) -> str:
    return f"/repos/{item.repository}/issues/comments/{comment}/reactions"
