"""Reviews of pull requests and their comments on lines."""

import sqlite3

from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.comparisons import compare
from entropy.forge.diffs import places
from entropy.forge.names import is_sha
from entropy.forge.permissions import Level
from entropy.forge.present import pulls as shapes
from entropy.forge.records import reviews
from entropy.forge.refusals import Refusal, forbidden, not_found, unprocessable
from entropy.forge.routes.pulls import PULL, current
from entropy.forge.routes.repositories import HOME

EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
_OWN = {
    "APPROVE": "Can not approve your own pull request",
    "REQUEST_CHANGES": "Can not request changes on your own pull request",
}
_SIDES = ("LEFT", "RIGHT")


def find(call: Call) -> Reply:
    pull, page = call.pull(), call.page
    rows = reviews.find(call.db, pull["id"], limit=page.size, offset=page.offset)
    return call.listing([shapes.review(call.view, pull, row) for row in rows], total(rows))


def _review(call: Call, pull: sqlite3.Row) -> sqlite3.Row:
    row = reviews.get(call.db, pull["id"], call.number("review"))
    if row is None:
        raise not_found()
    return row


def get(call: Call) -> Reply:
    pull = call.pull()
    return Reply(data=shapes.review(call.view, pull, _review(call, pull)))


def create(call: Call) -> Reply:
    pull, body = current(call), call.body.of("PullRequestReview")
    event, text = body.choice("event", tuple(EVENTS), ""), body.text("body") or ""
    commit = _commit(call, pull, body.text("commit_id"))
    parts = body.parts("comments")
    _refuse(call, pull, event, empty=not text.strip() and not parts)
    made = [_part(call, pull, commit, part) for part in parts]
    state = EVENTS.get(event, "PENDING")
    row = reviews.create(call.db, pull, call.my_id, state=state, body=text, commit=commit)
    for comment in made:
        reviews.comment(call.db, row, comment)
    return Reply(data=shapes.review(call.view, pull, row))


def _refuse(call: Call, pull: sqlite3.Row, event: str, *, empty: bool) -> None:
    if event in _OWN and pull["user_id"] == call.my_id:
        raise unprocessable(_OWN[event])
    if event in {"REQUEST_CHANGES", "COMMENT"} and empty:
        raise unprocessable("Body can't be blank")


def _commit(call: Call, pull: sqlite3.Row, wanted: str | None) -> str:
    """The commit that a review is about: one of the pull request's own."""
    if wanted is None:
        return str(pull["head_sha"])
    known = {row.sha for row in call.git.log(f"{pull['base_sha']}..{pull['head_sha']}", limit=250)}
    if not is_sha(wanted) or wanted not in known:
        raise unprocessable("Commit is not part of the pull request")
    return wanted


def _part(call: Call, pull: sqlite3.Row, commit: str, part: Body) -> reviews.LineComment:
    """A comment of a review, where GitHub's errors are sentences."""
    try:
        return _placed(call, pull, commit, part.of("PullRequestReviewComment"))
    except Refusal as refusal:
        told = [entry if isinstance(entry, str) else f"{entry['field']} is {entry['code']}" for entry in refusal.errors]
        raise Refusal(422, "Unprocessable Entity", errors=told) from None


def _placed(call: Call, pull: sqlite3.Row, commit: str, part: Body) -> reviews.LineComment:
    """A comment whose place is in the diff, or a refusal."""
    text, path = part.required("body"), part.required("path")
    files = compare(call.git, pull["base_sha"], commit).files
    file = next((file for file in files if file.path == path), None)
    if file is None:
        raise unprocessable("Path could not be resolved")
    known = places(file.patch)
    side, line = part.choice("side", _SIDES, "RIGHT"), part.number("line")
    if line is None and (position := part.number("position")):
        side, line = next((key for key, place in known.items() if place.position == position), (side, None))
    start, start_side = part.number("start_line"), part.choice("start_side", _SIDES, side)
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


def submit(call: Call) -> Reply:
    pull, body = call.pull(), call.body.of("PullRequestReview")
    row = _review(call, pull)
    if row["user_id"] != call.my_id:
        raise forbidden("own")
    if row["state"] != "PENDING":
        raise unprocessable("Review is not pending")
    event = body.choice("event", tuple(EVENTS), "COMMENT")
    _refuse(call, pull, event, empty=False)
    reviews.set_state(call.db, row["id"], EVENTS[event], body=body.text("body"))
    return get(call)


def dismiss(call: Call) -> Reply:
    pull = call.pull()
    row = _review(call, pull)
    call.body.of("PullRequestReview").required("message")
    if row["state"] not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise unprocessable("Can not dismiss a commented pull request review")
    reviews.set_state(call.db, row["id"], "DISMISSED")
    return get(call)


def comments(call: Call) -> Reply:
    page = call.page
    rows = reviews.comments_of_pull(call.db, call.pull()["id"], limit=page.size, offset=page.offset)
    return call.listing([shapes.review_comment(call.view, call.repository, row) for row in rows], total(rows))


def comments_of_one(call: Call) -> Reply:
    row, page = _review(call, call.pull()), call.page
    rows = reviews.comments_of_review(call.db, row["id"], limit=page.size, offset=page.offset)
    return call.listing([shapes.review_comment(call.view, call.repository, row) for row in rows], total(rows))


def _comment(call: Call, comment_id: int) -> sqlite3.Row:
    row = reviews.get_comment(call.db, call.repository_id, comment_id)
    if row is None:
        raise not_found()
    return row


def comment(call: Call) -> Reply:
    return Reply(data=shapes.review_comment(call.view, call.repository, _comment(call, call.number("comment"))))


def create_comment(call: Call) -> Reply:
    pull, body = current(call), call.body.of("PullRequestReviewComment")
    reply_to = body.number("in_reply_to")
    if reply_to:
        return _reply(call, pull, reply_to)
    commit = _commit(call, pull, body.text("commit_id"))
    made = _placed(call, pull, commit, body)
    row = reviews.create(call.db, pull, call.my_id, state="COMMENTED", body="", commit=commit)
    number = reviews.comment(call.db, row, made)
    return Reply(201, shapes.review_comment(call.view, call.repository, _comment(call, number)))


def reply(call: Call) -> Reply:
    return _reply(call, call.pull(), call.number("comment"))


def _reply(call: Call, pull: sqlite3.Row, comment_id: int) -> Reply:
    first = _comment(call, comment_id)
    if first["issue_id"] != pull["id"]:
        raise not_found()
    copied = ("path", "side", "line", "position", "hunk", "start_line", "start_side")
    text = call.body.of("PullRequestReviewComment").required("body")
    made = reviews.LineComment(**{name: first[name] for name in copied}, body=text)
    row = reviews.create(call.db, pull, call.my_id, state="COMMENTED", body="", commit=first["commit_sha"])
    number = reviews.comment(call.db, row, made, reply_to=first["reply_to"] or first["id"])
    return Reply(201, shapes.review_comment(call.view, call.repository, _comment(call, number)))


REVIEW = f"{PULL}/reviews/{{review}}"
TABLE = (
    Endpoint("GET", f"{PULL}/reviews", find),
    Endpoint("POST", f"{PULL}/reviews", create),
    Endpoint("GET", REVIEW, get),
    Endpoint("POST", f"{REVIEW}/events", submit),
    Endpoint("PUT", f"{REVIEW}/dismissals", dismiss, Level.WRITE),
    Endpoint("GET", f"{REVIEW}/comments", comments_of_one),
    Endpoint("GET", f"{PULL}/comments", comments),
    Endpoint("POST", f"{PULL}/comments", create_comment),
    Endpoint("POST", f"{PULL}/comments/{{comment}}/replies", reply),
    Endpoint("GET", f"{HOME}/pulls/comments/{{comment}}", comment),
)
