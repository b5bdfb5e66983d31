"""The search over issues and pull requests, by GitHub's qualifiers."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from entropy.forge import clock
from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.identity import reach
from entropy.forge.permissions import Level
from entropy.forge.present import issues as shapes
from entropy.forge.records import repositories, search
from entropy.forge.refusals import Refusal, invalid
from entropy.forge.scopes import Scope

LOOK = Scope(("issues", "pull_requests"), write=False)
_QUALIFIER = re.compile(r'(-?)([\w-]+):("[^"]*"|\S+)')
_KINDS: dict[str, dict[str, Any]] = {
    "issue": {"pulls": False},
    "pr": {"pulls": True},
    "pull-request": {"pulls": True},
    "open": {"state": "open"},
    "closed": {"state": "closed"},
    "merged": {"merged": True},
    "unmerged": {"merged": False},
    "draft": {"draft": True},
}

Terms = dict[str, list[str]]


def find(call: Call) -> Reply:
    if call.page.offset >= search.MOST:
        raise Refusal(422, "Only the first 1000 search results are available")
    text = call.query.get("q", "")
    if not text.strip():
        raise invalid("Search", "q", "missing")
    terms, without = _terms(text)
    words = " ".join(_QUALIFIER.sub(" ", text).split()).strip('"')
    facts: dict[str, Any] = {}
    for word in (*terms["is"], *terms["type"], *terms["state"]):
        facts |= _KINDS.get(word, {})
    wanted = search.Wanted(
        repositories=[home["id"] for home in _homes(call, terms)],
        labels=[[name.strip('"') for name in value.split(",")] for value in terms["label"]],
        without=without["label"],
        author=next(iter(terms["author"]), None),
        assignee=next(iter(terms["assignee"]), None),
        updated=_span(terms["updated"]),
        created=_span(terms["created"]),
        text=words,
        sort=call.chosen("sort", ("created", "updated", "comments"), "created"),
        ascending=call.chosen("order", ("asc", "desc"), "desc") == "asc",
        limit=min(call.page.size, search.MOST - call.page.offset),
        offset=call.page.offset,
        **facts,
    )
    rows = search.find(call.db, wanted)
    items = [{**shapes.issue(call.view, row), "body": row["body"] or "", "score": 1.0} for row in rows]
    found = {"total_count": total(rows), "incomplete_results": False, "search_type": "lexical", "items": items}
    return call.listing(found, min(total(rows), search.MOST))


def _terms(text: str) -> tuple[Terms, Terms]:
    """What is wanted and what is not, by qualifier."""
    found: tuple[Terms, Terms] = defaultdict(list), defaultdict(list)
    for minus, name, value in _QUALIFIER.findall(text):
        found[bool(minus)][name.lower()].append(value.strip('"') if "," not in value else value)
    return found


def _homes(call: Call, terms: Terms) -> list[sqlite3.Row]:
    """The repositories that are meant and may be seen; a name that nobody may know of is an error."""
    named = [(name, repositories.named(call.db, name)) for name in terms["repo"]]
    seen = [home for _, home in named if home and _may(call, home)]
    owners = {login.lower() for login in (*terms["org"], *terms["user"])}
    if len(seen) < len(named) and not seen and not owners:
        raise invalid("Search", "q")
    if named and not owners:
        return seen
    everyone = repositories.everyone(call.db)
    chosen = [home for home in everyone if not owners or home["owner"].lower() in owners]
    return seen + [home for home in chosen if home not in seen and _may(call, home)]


def _may(call: Call, home: sqlite3.Row) -> bool:
    try:
        return reach(call.db, home, call.identity, LOOK) >= Level.READ
    except Refusal:
        return False


def _span(values: list[str]) -> tuple[str, str]:
    """From ``>=``, ``>``, ``<=``, ``<``, ``a..b`` or a day."""
    first, last = search.EVER
    for value in values:
        for sign, moment in _bounds(value):
            if sign.startswith(">"):
                first = max(first, moment)
            else:
                last = min(last, moment)
    return first, last


def _bounds(value: str) -> Iterator[tuple[str, str]]:
    match = re.fullmatch(r"(>=|<=|>|<)?(.+?)(?:\.\.(.+))?", value)
    sign, start, end = match.groups() if match else (None, "", None)
    begin, finish = _moment(start), _moment(end or start, late=True)
    if sign:
        yield sign, begin if sign.startswith(">") else finish
        return
    yield ">=", begin
    yield "<=", finish


def _moment(text: str, *, late: bool = False) -> str:
    if text == "*":
        return search.EVER[late]
    moment = clock.parse(text)
    if moment is None:
        raise invalid("Search", "q")
    return moment.replace("T00:00:00Z", "T23:59:59Z") if late and "T" not in text else moment


TABLE = (Endpoint("GET", "/search/issues", find),)
