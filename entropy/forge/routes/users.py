"""Who I am, who others are, and the forge about itself."""

import time

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.present.view import account, own_account
from entropy.forge.records import users
from entropy.forge.refusals import not_found

HOURLY = 5000
"""What the rate limit headers say; the embedded forge counts nothing."""


def me(call: Call) -> Reply:
    return Reply(data=own_account(call.view, call.me))


def user(call: Call) -> Reply:
    row = users.named(call.db, call.params["username"])
    if row is None:
        raise not_found()
    return Reply(data=account(call.view, row))


def meta(_: Call) -> Reply:
    return Reply(data={"verifiable_password_authentication": False, "installed_version": "embedded"})


def rate_limit(_: Call) -> Reply:
    limit = {"limit": HOURLY, "remaining": HOURLY, "used": 0, "reset": int(time.time()) + 3600}
    return Reply(data={"resources": dict.fromkeys(("core", "search", "graphql"), limit), "rate": limit})


TABLE = (
    Endpoint("GET", "/user", me),
    Endpoint("GET", "/users/{username}", user),
    Endpoint("GET", "/meta", meta),
    Endpoint("GET", "/rate_limit", rate_limit),
)
