"""The templates, and what each of them may call."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from importlib.resources import files
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from entropy.forge.call import Call
from entropy.forge.records import issues, reactions, threads, users
from entropy.forge.web.changes import excerpt
from entropy.forge.web.conversation import VERDICTS
from entropy.forge.web.inert import visible
from entropy.forge.web.markdown import markdown

SIGNS = {
    "+1": "👍", "-1": "👎", "laugh": "😄", "confused": "😕", "heart": "❤", "hooray": "🎉", "rocket": "🚀", "eyes": "👀",
}  # fmt: skip


def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("entropy.forge", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["moment"] = _moment
    made.globals |= {"VERDICTS": VERDICTS, "excerpt": excerpt}
    return made


def static(name: str) -> bytes:
    return files("entropy.forge").joinpath("pages", name).read_bytes()


def tools(call: Call | None) -> Mapping[str, object]:
    """What every template may use; without a call there is no repository to speak of."""
    if call is None:
        return {"repo": None, "here": ""}
    home = call.home
    shared: dict[str, object] = {
        "repo": home,
        "here": call.path,
        "query": call.query,
        "page": call.page,
        "turned": partial(_turned, call),
        "labels_of": partial(issues.labels, call.db),
        "user": partial(users.known, call.db),
        "reactions_to": partial(_reactions, call.db),
        "settled": partial(threads.settled, call.db),
        "login": partial(_login, call.db),
    }
    if home:
        shared["open"] = {pulls: open_count(call.db, home, pulls=pulls) for pulls in (False, True)}
        shared["markdown"] = partial(markdown, home=home["full_name"], branch=home["default_branch"])
    return shared


def _inert(value: object) -> object:
    """Whatever a template prints goes through here before it is escaped; what is escaped already stays so."""
    if isinstance(value, Markup):
        return Markup(visible(value))  # noqa: S704 - signs only, no tag comes of it
    return visible(value) if isinstance(value, str) else value


def _moment(text: str) -> str:
    """A time of the record as people write it; UTC."""
    when = datetime.fromisoformat(text)
    return f"{when.day} {when:%b %Y, %H:%M}"


def _reactions(db: sqlite3.Connection, kind: str, subject_id: int) -> list[tuple[str, str, int]]:
    """Sign, word and how many of each reaction."""
    return [(SIGNS[word], word, count) for word, count in sorted(reactions.counted(db, kind, subject_id).items())]


def _login(db: sqlite3.Connection, person: tuple[str, str, str]) -> str | None:
    """Whose account a commit's author or committer is."""
    row = users.of_mail(db, person[1])
    return str(row["login"]) if row else None


def open_count(db: sqlite3.Connection, home: sqlite3.Row, *, pulls: bool) -> int:
    rows = issues.find(db, home["id"], issues.Filter(pulls=pulls, limit=1))
    return int(rows[0]["total"]) if rows else 0


def _turned(call: Call, number: int) -> str:
    return urlencode({**call.query, "page": number})
