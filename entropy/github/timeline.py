"""What happened to an item and who did it, as the forge wrote it down."""

from datetime import datetime
from typing import Any, Literal, get_args

from entropy.github.connection import Connection, issue_path
from entropy.github.facts import login_of
from entropy.models import Noun, WorkItem

Kind = Literal["labeled", "unlabeled", "renamed", "head_ref_force_pushed"]
KINDS = frozenset(get_args(Kind))


class TimelineEvent(Noun):
    """One line of an item's timeline."""

    kind: Kind
    actor: str
    bot: bool
    at: datetime
    label: str | None = None
    commit: str | None = None
    """The head of the branch after a forced push."""


class Timeline:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, item: WorkItem) -> tuple[TimelineEvent, ...]:
        """Who labelled it, renamed it and pushed by force to its branch, the latest last."""
        rows = self._connection.rows(f"{issue_path(item)}/timeline", tried=f"read the timeline of {item}")
        return tuple(_happening(row) for row in rows if row.get("event") in KINDS)


def labelling(happenings: tuple[TimelineEvent, ...], label: str) -> TimelineEvent | None:
    """Who set the label that is there now; None when the forge does not say, or not yet."""
    wanted = label.casefold()
    told = [each for each in happenings if each.label is not None and each.label.casefold() == wanted]
    return told[-1] if told and told[-1].kind == "labeled" else None


def forced(happenings: tuple[TimelineEvent, ...], head: str) -> TimelineEvent | None:
    """The forced push by which a branch came to where it is; None when it came there otherwise."""
    pushes = [each for each in happenings if each.kind == "head_ref_force_pushed"]
    return pushes[-1] if pushes and pushes[-1].commit == head else None


def _happening(row: dict[str, Any]) -> TimelineEvent:
    actor = row.get("actor") or {}
    return TimelineEvent(
        kind=row["event"],
        actor=login_of(actor),
        bot=actor.get("type") == "Bot",
        at=datetime.fromisoformat(row["created_at"]),
        label=row["label"]["name"] if "label" in row else None,
        commit=row.get("commit_id"),
    )
