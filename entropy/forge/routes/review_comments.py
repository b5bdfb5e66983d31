"""Comments on lines of pull requests."""

import sqlite3

from entropy.forge import clock
from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.comparisons import compare
from entropy.forge.diffs import places
from entropy.forge.names import is_sha
from entropy.forge.permissions import Level
from entropy.forge.present import pulls as shapes
from entropy.forge.records import reviews
from entropy.forge.refusals import forbidden, not_found, unprocessable
from entropy.forge.routes.locks import refuse_locked
from entropy.forge.routes.pulls import PULL, current
from entropy.forge.routes.repositories import HOME

ONE = f"{HOME}/pulls/comments/{{comment}}"
SIDES = ("LEFT", "RIGHT")


def find(call: Call) -> Reply:
    page = call.page
    rows = reviews.comments_of_pull(call.db, call.pull()["id"], limit=page.size, offset=page.offset)
    return call.listing([shapes.review_comment(call.view, call.repository, row) for row in rows], total(rows))


def of_repository(call: Call) -> Reply:
    since, page = clock.parse(call.query.get("since", "").replace(" ", "+")), call.page
    rows = reviews.comments_of_repository(call.db, call.repository_id, since=since, limit=page.size, offset=page.offset)
    return call.listing([shapes.review_comment(call.view, call.repository, row) for row in rows], total(rows))


def commit_of(call: Call, pull: sqlite3.Row, wanted: str | None) -> str:
    """The commit that a review is about: one of the pull request's own."""
    if wanted is None:
        return str(pull["head_sha"])
    known = {row.sha for row in call.git.log(f"{pull['base_sha']}..{pull['head_sha']}", limit=250)}
    if not is_sha(wanted) or wanted not in known:
        raise unprocessable("Commit is not part of the pull request")
    return wanted


def placed(call: Call, pull: sqlite3.Row, commit: str, part: Body) -> reviews.LineComment:
    """A comment whose place is in the diff, or a refusal."""
    text, path = part.required("body"), part.required("path")
    files = compare(call.git, pull["base_sha"], commit).files
    file = next((file for file in files if file.path == path), None)
    if file is None:
        raise unprocessable("Path could not be resolved")
    known = places(file.patch)
    side, line = part.choice("side", SIDES, "RIGHT"), part.number("line")
    if line is None and (position := part.number("position")):
        side, line = next((key for key, place in known.items() if place.position == position), (side, None))
    start, start_side = part.number("start_line"), part.choice("start_side", SIDES, side)
    if line is None or (side, line) not in known:
        raise unprocessable("Line could not be resolved")
    if start and ((start_side, start) not in known or (start_side == side and start >= line)):
        raise unprocessable("Start line could not be resolved")
    place = known[side, line]
    return reviews.LineComment(
        path=path,
        side=side,
        line=line,
        body=text,
        position=place.position,
        hunk=place.hunk,
        start_line=start,
        start_side=start_side if start else None,
    )


def _comment(call: Call, comment_id: int) -> sqlite3.Row:
    row = reviews.get_comment(call.db, call.repository_id, comment_id)
    if row is None:
        raise not_found()
    return row


def get(call: Call) -> Reply:
    return Reply(data=shapes.review_comment(call.view, call.repository, _comment(call, call.number("comment"))))


def create(call: Call) -> Reply:
    pull, body = current(call), call.body.of("PullRequestReviewComment")
    refuse_locked(call, pull)
    reply_to = body.number("in_reply_to")
    if reply_to:
        return _reply(call, pull, reply_to)
    commit = commit_of(call, pull, body.text("commit_id"))
    made = placed(call, pull, commit, body)
    row = reviews.create(call.db, pull, call.my_id, state="COMMENTED", body="", commit=commit)
    number = reviews.comment(call.db, row, made)
    return Reply(201, shapes.review_comment(call.view, call.repository, _comment(call, number)))


def reply(call: Call) -> Reply:
    return _reply(call, call.pull(), call.number("comment"))


def _reply(call: Call, pull: sqlite3.Row, comment_id: int) -> Reply:
    first = _comment(call, comment_id)
    refuse_locked(call, pull)
    if first["issue_id"] != pull["id"]:
        raise not_found()
    copied = ("path", "side", "line", "position", "hunk", "start_line", "start_side")
    text = call.body.of("PullRequestReviewComment").required("body")
    made = reviews.LineComment(**{name: first[name] for name in copied}, body=text)
    row = reviews.create(call.db, pull, call.my_id, state="COMMENTED", body="", commit=first["commit_sha"])
    number = reviews.comment(call.db, row, made, reply_to=first["reply_to"] or first["id"])
    return Reply(201, shapes.review_comment(call.view, call.repository, _comment(call, number)))


def _own(call: Call) -> sqlite3.Row:
    row = _comment(call, call.number("comment"))
    if row["user_id"] != call.my_id and call.level < Level.WRITE:
        raise forbidden("write")
    return row


def edit(call: Call) -> Reply:
    text = call.body.of("PullRequestReviewComment").required("body")
    reviews.edit_comment(call.db, _own(call), call.my_id, text)
    return get(call)


def delete(call: Call) -> Reply:
    reviews.delete_comment(call.db, _own(call), call.my_id)
    return Reply(204)


TABLE = (
    Endpoint("GET", f"{HOME}/pulls/comments", of_repository),
    Endpoint("GET", ONE, get),
    Endpoint("PATCH", ONE, edit),
    Endpoint("DELETE", ONE, delete),
    Endpoint("GET", f"{PULL}/comments", find),
    Endpoint("POST", f"{PULL}/comments", create),
    Endpoint("POST", f"{PULL}/comments/{{comment}}/replies", reply),
)
