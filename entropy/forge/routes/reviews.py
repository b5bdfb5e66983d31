"""Reviews of pull requests."""

import sqlite3

from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.permissions import Level
from entropy.forge.present import pulls as shapes
from entropy.forge.records import requests, reviews
from entropy.forge.refusals import Refusal, forbidden, not_found, unprocessable
from entropy.forge.routes.locks import refuse_locked
from entropy.forge.routes.pulls import PULL, current
from entropy.forge.routes.review_comments import commit_of, placed

EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
_OWN = {
    "APPROVE": "Can not approve your own pull request",
    "REQUEST_CHANGES": "Can not request changes on your own pull request",
}


def find(call: Call) -> Reply:
    pull, page = call.pull(), call.page
    viewer = call.my_id if call.viewer is not None else None
    rows = reviews.find(call.db, pull["id"], viewer=viewer, limit=page.size, offset=page.offset)
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
    commit = commit_of(call, pull, body.text("commit_id"))
    parts = body.parts("comments")
    refuse_locked(call, pull)
    _refuse(call, pull, event, empty=not text.strip() and not parts)
    made = [_part(call, pull, commit, part) for part in parts]
    state = EVENTS.get(event, "PENDING")
    if reviews.pending(call.db, pull["id"], call.my_id) is not None:
        raise Refusal(422, "Unprocessable Entity", errors=["User can only have one pending review per pull request"])
    row = reviews.create(call.db, pull, call.my_id, state=state, body=text, commit=commit)
    for comment in made:
        reviews.comment(call.db, row, comment)
    if state != "PENDING":
        requests.fulfil(call.db, pull["id"], call.my_id)
    return Reply(data=shapes.review(call.view, pull, row))


def _refuse(call: Call, pull: sqlite3.Row, event: str, *, empty: bool) -> None:
    if event in _OWN and pull["user_id"] == call.my_id:
        raise unprocessable(_OWN[event])
    if event in {"REQUEST_CHANGES", "COMMENT"} and empty:
        raise unprocessable("Body can't be blank")


def _part(call: Call, pull: sqlite3.Row, commit: str, part: Body) -> reviews.LineComment:
    """A comment of a review, where GitHub's errors are sentences."""
    try:
        return placed(call, pull, commit, part.of("PullRequestReviewComment"))
    except Refusal as refusal:
        told = [entry if isinstance(entry, str) else f"{entry['field']} is {entry['code']}" for entry in refusal.errors]
        raise Refusal(422, "Unprocessable Entity", errors=told) from None


def submit(call: Call) -> Reply:
    pull, body = call.pull(), call.body.of("PullRequestReview")
    row = _pending(call, pull)
    event = body.choice("event", tuple(EVENTS), "COMMENT")
    _refuse(call, pull, event, empty=False)
    reviews.submit(call.db, pull, row, EVENTS[event], body.text("body"))
    requests.fulfil(call.db, pull["id"], call.my_id)
    return get(call)


def drop(call: Call) -> Reply:
    row = _pending(call, call.pull())
    reply = get(call)
    reviews.drop(call.db, row)
    return reply


def _pending(call: Call, pull: sqlite3.Row) -> sqlite3.Row:
    """Of the caller, and not submitted."""
    row = _review(call, pull)
    if row["user_id"] != call.my_id:
        raise forbidden("own")
    if row["state"] != "PENDING":
        raise unprocessable("Review is not pending")
    return row


def dismiss(call: Call) -> Reply:
    pull = call.pull()
    row = _review(call, pull)
    call.body.of("PullRequestReview").required("message")
    if row["state"] not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise unprocessable("Can not dismiss a commented pull request review")
    reviews.dismiss(call.db, pull, row, call.my_id)
    return get(call)


def comments_of_one(call: Call) -> Reply:
    row, page = _review(call, call.pull()), call.page
    rows = reviews.comments_of_review(call.db, row["id"], limit=page.size, offset=page.offset)
    return call.listing([shapes.review_comment(call.view, call.repository, row) for row in rows], total(rows))


REVIEW = f"{PULL}/reviews/{{review}}"
TABLE = (
    Endpoint("GET", f"{PULL}/reviews", find),
    Endpoint("POST", f"{PULL}/reviews", create),
    Endpoint("GET", REVIEW, get),
    Endpoint("DELETE", REVIEW, drop),
    Endpoint("POST", f"{REVIEW}/events", submit),
    Endpoint("PUT", f"{REVIEW}/dismissals", dismiss, Level.WRITE),
    Endpoint("GET", f"{REVIEW}/comments", comments_of_one),
)
