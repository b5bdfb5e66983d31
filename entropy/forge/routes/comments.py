"""Comments on issues and pull requests."""

import sqlite3

from entropy.forge import clock
from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.permissions import Level
from entropy.forge.present.issues import comment as shape
from entropy.forge.records import comments
from entropy.forge.refusals import forbidden, not_found
from entropy.forge.routes.issues import ISSUE
from entropy.forge.routes.locks import refuse_locked
from entropy.forge.routes.repositories import HOME

ONE = f"{HOME}/issues/comments/{{comment}}"


def find(call: Call) -> Reply:
    since = clock.parse(call.query.get("since", "").replace(" ", "+"))
    page = call.page
    rows = comments.find(call.db, call.issue()["id"], since=since, limit=page.size, offset=page.offset)
    return call.listing([shape(call.view, call.repository, row) for row in rows], total(rows))


def of_repository(call: Call) -> Reply:
    since = clock.parse(call.query.get("since", "").replace(" ", "+"))
    page = call.page
    rows = comments.of_repository(call.db, call.repository_id, since=since, limit=page.size, offset=page.offset)
    return call.listing([shape(call.view, call.repository, row) for row in rows], total(rows))


def create(call: Call) -> Reply:
    issue = call.issue()
    refuse_locked(call, issue)
    row = comments.create(call.db, issue["id"], call.my_id, call.body.of("IssueComment").required("body"))
    return Reply(201, shape(call.view, call.repository, row))


def _comment(call: Call) -> sqlite3.Row:
    row = comments.get(call.db, call.repository_id, call.number("comment"))
    if row is None:
        raise not_found()
    return row


def _own(call: Call) -> sqlite3.Row:
    row = _comment(call)
    if row["user_id"] != call.my_id and call.level < Level.WRITE:
        raise forbidden("write")
    return row


def get(call: Call) -> Reply:
    return Reply(data=shape(call.view, call.repository, _comment(call)))


def edit(call: Call) -> Reply:
    comments.edit(call.db, _own(call), call.my_id, call.body.of("IssueComment").required("body"))
    return get(call)


def delete(call: Call) -> Reply:
    comments.delete(call.db, _own(call), call.my_id)
    return Reply(204)


TABLE = (
    Endpoint("GET", f"{HOME}/issues/comments", of_repository),
    Endpoint("GET", ONE, get),
    Endpoint("PATCH", ONE, edit),
    Endpoint("DELETE", ONE, delete),
    Endpoint("GET", f"{ISSUE}/comments", find),
    Endpoint("POST", f"{ISSUE}/comments", create),
)
