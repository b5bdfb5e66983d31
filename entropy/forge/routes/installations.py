"""What the token of an installation may ask about itself."""

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.permissions import Level
from entropy.forge.present.repositories import full
from entropy.forge.records import apps, repositories


def find(call: Call) -> Reply:
    grant, page = call.grant, call.page
    reached = apps.reached(call.db, grant.installation["id"])
    ids = [each for each in reached if grant.repositories is None or each in grant.repositories]
    chosen = (repositories.numbered(call.db, each) for each in ids[page.offset : page.offset + page.size])
    level = Level.WRITE if grant.may("contents", write=True) else Level.READ
    shown = {
        "total_count": len(ids),
        "repository_selection": "all"
        if grant.repositories is None and grant.installation["everything"]
        else "selected",
        "repositories": [full(call.view, row, level) for row in chosen],
    }
    return call.listing(shown, len(ids))


def revoke(call: Call) -> Reply:
    apps.revoke(call.db, call.grant.hashed)
    return Reply(204)


TABLE = (
    Endpoint("GET", "/installation/repositories", find),
    Endpoint("DELETE", "/installation/token", revoke),
)
