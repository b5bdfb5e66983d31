"""Whether a request may reach its endpoint: who asks, which repository it names, and what is allowed there."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from starlette.requests import Request

from entropy.forge.call import API, Call, Endpoint
from entropy.forge.identity import Caller, out_of_reach, reach
from entropy.forge.permissions import Level
from entropy.forge.records import comments, issues, repositories
from entropy.forge.refusals import Refusal, not_found
from entropy.forge.scopes import HOME, Scope

BY_ID = "/repositories/{repository_id}"
"""Where every endpoint below `HOME` is found too."""
_FOLLOW = "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"


def by_ids(endpoints: Iterable[Endpoint]) -> Iterator[tuple[Endpoint, str]]:
    """Every endpoint whose path names a repository, with its path by the repository's id."""
    for endpoint in endpoints:
        if endpoint.path == HOME or endpoint.path.startswith(f"{HOME}/"):
            yield endpoint, BY_ID + endpoint.path.removeprefix(HOME)


def located(db: sqlite3.Connection, params: Mapping[str, str]) -> tuple[sqlite3.Row | None, bool]:
    """The repository that a path names, and whether it has another name now; raises 404 where there is none."""
    if "repository_id" in params:
        home, former = repositories.alive(db, _number(params["repository_id"])), None
    elif "owner" in params:
        name = f"{params['owner']}/{params['repo']}"
        home = repositories.named(db, name)
        former = None if home else repositories.formerly(db, name)
    else:
        return None, False
    if home is None and former is None:
        raise not_found()
    return home or former, home is None


def admit(
    db: sqlite3.Connection,
    endpoint: Endpoint,
    who: Caller | None,
    home: sqlite3.Row | None,
    params: Mapping[str, str],
) -> Level:
    """What may be done in the repository; raises 401, 403 or 404 where the request may not come in at all."""
    _check_actor(endpoint, who)
    if home is None or endpoint.actor == "app":
        return Level.NONE
    scope = _narrowed(db, endpoint, home, params) if who and who.grant else endpoint.scope
    allowed = reach(db, home, who, scope, needs=endpoint.needs)
    if allowed < Level.READ:
        raise not_found()
    return allowed


def _check_actor(endpoint: Endpoint, who: Caller | None) -> None:
    if endpoint.actor == "app" and (who is None or who.app is None or who.grant):
        raise Refusal(401, "A JSON web token could not be decoded")
    if endpoint.actor == "installation" and (who is None or who.grant is None):
        raise Refusal(403 if who else 401, "You must authenticate with an installation access token.")
    if endpoint.actor == "person" and who and who.app:
        raise out_of_reach(endpoint.scope)


def _narrowed(db: sqlite3.Connection, endpoint: Endpoint, home: sqlite3.Row, params: Mapping[str, str]) -> Scope:
    """Where issues and pull requests share an endpoint, the kind of the item decides which permission counts."""
    if len(endpoint.scope.names) < 2:
        return endpoint.scope
    item, comment = _number(params.get("number", "")), _number(params.get("comment", ""))
    said = comments.get(db, home["id"], comment) if comment else None
    row = issues.get(db, home["id"], said["number"] if said else item)
    if row is None:
        return endpoint.scope
    return Scope(("pull_requests" if row["is_pull"] else "issues",), write=endpoint.scope.write)


def _number(text: str) -> int:
    """0 where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def refuse_archived(call: Call, endpoint: Endpoint) -> None:
    """Nothing is written to an archived repository but that it is one."""
    if call.home and call.home["archived"] and endpoint.method != "GET" and endpoint.path != HOME:
        raise Refusal(403, "Repository was archived so is read-only.")


def moved(request: Request, home: sqlite3.Row) -> Refusal:
    """Where a repository's former name leads: to the same thing by the repository's id."""
    root = f"{request.url.scheme}://{request.url.netloc}{API}"
    path = str(request.scope["raw_path"], "ascii")  # as it was sent: what is quoted stays so
    rest = "/".join(path.partition("?")[0].removeprefix(f"{API}/repos/").split("/")[2:])
    address = f"{root}/repositories/{home['id']}{f'/{rest}' if rest else ''}"
    location = f"{address}?{request.url.query}" if request.url.query else address
    status, word = (301, "Moved Permanently") if request.method in {"GET", "HEAD"} else (307, "Temporary Redirect")
    return Refusal(status, word, headers={"Location": location}, url=location, documentation_url=_FOLLOW)
