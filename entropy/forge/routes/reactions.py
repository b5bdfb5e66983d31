"""Reactions to issues, comments and review comments."""

from collections.abc import Callable

from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.permissions import Level
from entropy.forge.present.reactions import reaction
from entropy.forge.records import comments, reactions, reviews
from entropy.forge.refusals import forbidden, invalid, not_found
from entropy.forge.routes.issues import ISSUE
from entropy.forge.routes.repositories import HOME

Subject = Callable[[Call], tuple[str, int]]


def _issue(call: Call) -> tuple[str, int]:
    return "issue", int(call.issue()["id"])


def _comment(call: Call) -> tuple[str, int]:
    number = call.number("comment")
    if comments.get(call.db, call.repository_id, number) is None:
        raise not_found()
    return "comment", number


def _review_comment(call: Call) -> tuple[str, int]:
    number = call.number("comment")
    if reviews.get_comment(call.db, call.repository_id, number) is None:
        raise not_found()
    return "review_comment", number


def _find(call: Call, subject: tuple[str, int]) -> Reply:
    content, page = call.query.get("content"), call.page
    rows = reactions.find(call.db, subject, content=content, limit=page.size, offset=page.offset)
    return call.listing([reaction(call.view, row) for row in rows], total(rows))


def _create(call: Call, subject: tuple[str, int]) -> Reply:
    content = call.body.of("Reaction").choice("content", reactions.CONTENTS, "")
    if not content:
        raise invalid("Reaction", "content", "missing_field")
    row, new = reactions.add(call.db, subject, call.my_id, content)
    return Reply(201 if new else 200, reaction(call.view, row))


def _delete(call: Call, subject: tuple[str, int]) -> Reply:
    row = reactions.get(call.db, subject, call.number("reaction"))
    if row is None:
        raise not_found()
    if row["user_id"] != call.my_id and call.level < Level.WRITE:
        raise forbidden("write")
    reactions.remove(call.db, row["id"])
    return Reply(204)


def _bound(act: Callable[[Call, tuple[str, int]], Reply], subject: Subject) -> Callable[[Call], Reply]:
    return lambda call: act(call, subject(call))


def _table(path: str, subject: Subject) -> tuple[Endpoint, ...]:
    return (
        Endpoint("GET", path, _bound(_find, subject)),
        Endpoint("POST", path, _bound(_create, subject)),
        Endpoint("DELETE", f"{path}/{{reaction}}", _bound(_delete, subject)),
    )


TABLE = (
    *_table(f"{HOME}/issues/comments/{{comment}}/reactions", _comment),
    *_table(f"{HOME}/pulls/comments/{{comment}}/reactions", _review_comment),
    *_table(f"{ISSUE}/reactions", _issue),
)
