"""Who is asked for a review."""

import sqlite3

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.permissions import Level, granted
from entropy.forge.present import pulls as shapes
from entropy.forge.present.view import user
from entropy.forge.records import requests, users
from entropy.forge.refusals import Refusal
from entropy.forge.routes.pulls import PULL

REQUESTED = f"{PULL}/requested_reviewers"


def find(call: Call) -> Reply:
    asked = requests.find(call.db, call.pull()["id"])
    return Reply(data={"users": [user(call.view, row) for row in asked], "teams": []})


def _named(call: Call, pull: sqlite3.Row) -> list[int]:
    found = []
    for login in call.body.of("PullRequest").texts("reviewers"):
        person = users.named(call.db, login)
        if person is None or not granted(call.db, call.repository, person):
            message = (
                "Reviews may only be requested from collaborators. One or more of the users or teams you specified"
            )
            raise Refusal(422, f"{message} is not a collaborator of the {call.repository['full_name']} repository.")
        if person["id"] == pull["user_id"]:
            raise Refusal(422, "Review cannot be requested from pull request author.")
        found.append(int(person["id"]))
    return found


def ask(call: Call) -> Reply:
    pull = call.pull()
    for reviewer in _named(call, pull):
        requests.ask(call.db, pull, call.my_id, reviewer)
    return Reply(201, shapes.simple(call.view, call.pull()))


def withdraw(call: Call) -> Reply:
    pull = call.pull()
    for reviewer in _named(call, pull):
        requests.withdraw(call.db, pull, call.my_id, reviewer)
    return Reply(data=shapes.simple(call.view, call.pull()))


TABLE = (
    Endpoint("GET", REQUESTED, find),
    Endpoint("POST", REQUESTED, ask, Level.WRITE),
    Endpoint("DELETE", REQUESTED, withdraw, Level.WRITE),
)
