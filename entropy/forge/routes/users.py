"""Who I am, who others are, and the forge about itself."""

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.present.view import account, own_account
from entropy.forge.records import users
from entropy.forge.refusals import not_found


def me(call: Call) -> Reply:
    return Reply(data=own_account(call.view, call.me))


def user(call: Call) -> Reply:
    row = users.named(call.db, call.params["username"])
    if row is None:
        raise not_found()
    return Reply(data=account(call.view, row))


def meta(_: Call) -> Reply:
    return Reply(data={"verifiable_password_authentication": False, "installed_version": "embedded"})


TABLE = (
    Endpoint("GET", "/user", me),
    Endpoint("GET", "/users/{username}", user),
    Endpoint("GET", "/meta", meta),
)
