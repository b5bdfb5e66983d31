"""One REST request as its endpoint sees it: who asks, about which repository, with what."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from entropy.forge.bodies import Body
from entropy.forge.gitrepo import GitRepository
from entropy.forge.identity import Caller, Grant
from entropy.forge.limits import Bucket, bucket_of
from entropy.forge.permissions import Level
from entropy.forge.present.view import View
from entropy.forge.records import issues
from entropy.forge.refusals import Refusal, login_needed, not_found
from entropy.forge.scopes import HOME, Actor, Scope, actor_of, scope_of
from entropy.forge.store import Store

API = "/api/v3"


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted, by GitHub's ``per_page`` and ``page``."""

    size: int
    number: int

    @property
    def offset(self) -> int:
        return self.size * (self.number - 1)


@dataclass(frozen=True)
class Reply:
    status: int = 200
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent instead of JSON."""
    cost: int = 1
    """Points that the request is charged in its bucket."""


@dataclass(frozen=True, kw_only=True)
class Call:
    store: Store
    db: sqlite3.Connection
    origin: str
    """``http://host:port``, as the client called it."""
    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    accept: str
    body: Body
    viewer: sqlite3.Row | None
    """The person who asks, or the bot of the app that does."""
    identity: Caller | None = None
    home: sqlite3.Row | None = None
    level: Level = Level.NONE

    @property
    def me(self) -> sqlite3.Row:
        if self.viewer is None:
            raise login_needed()
        return self.viewer

    @property
    def my_id(self) -> int:
        return int(self.me["id"])

    @property
    def app(self) -> sqlite3.Row:
        """The app that asks by its JWT or through an installation."""
        if self.identity is None or self.identity.app is None:
            raise login_needed()
        return self.identity.app

    @property
    def grant(self) -> Grant:
        """What the installation's token that asks was given."""
        if self.identity is None or self.identity.grant is None:
            raise login_needed()
        return self.identity.grant

    @property
    def repository(self) -> sqlite3.Row:
        if self.home is None:
            raise not_found()
        return self.home

    @property
    def repository_id(self) -> int:
        return int(self.repository["id"])

    @property
    def git(self) -> GitRepository:
        return self.store.git(self.repository)

    @cached_property
    def view(self) -> View:
        return View(self.db, self.origin)

    @property
    def page(self) -> Page:
        return Page(self.integer("per_page", 30, 100), self.integer("page", 1, 10**6))

    def integer(self, name: str, default: int, most: int) -> int:
        text = self.query.get(name, "")
        return min(max(int(text), 1), most) if text.isascii() and text.isdigit() and len(text) < 10 else default

    def chosen(self, name: str, allowed: Sequence[str], default: str) -> str:
        value = self.query.get(name) or default
        if value not in allowed:
            raise Refusal(422, "Validation Failed", errors=[{"resource": "Search", "field": name, "code": "invalid"}])
        return value

    def needs(self, level: Level) -> None:
        """Raise 401 or 403 where the viewer may do less than `level`."""
        if self.level < level:
            self.me  # noqa: B018 - somebody who is nobody is asked to log in first
            raise Refusal(403, f"Must have {level.word} rights to Repository.")

    def number(self, name: str = "number") -> int:
        """A numeric part of the path."""
        text = self.params[name]
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise not_found()
        return int(text)

    def issue(self) -> sqlite3.Row:
        row = issues.get(self.db, self.repository_id, self.number())
        if row is None:
            raise not_found()
        return row

    def pull(self) -> sqlite3.Row:
        row = self.issue()
        if not row["is_pull"]:
            raise not_found()
        return row

    def commit(self, name: str) -> str:
        """The full sha that a path or a query names."""
        sha = self.git.commit_of(name)
        if sha is None:
            raise Refusal(422, f"No commit found for SHA: {name}")
        return sha

    def listing(self, data: object, total: int) -> Reply:
        """One page of a list, with GitHub's Link header."""
        last = max(1, -(-total // self.page.size))
        here = self.page.number
        targets = {"prev": here - 1, "next": here + 1, "last": last, "first": 1}
        wanted = [name for name in targets if (here < last if name in {"next", "last"} else here > 1)]
        links = [f'<{self._page_url(targets[name])}>; rel="{name}"' for name in wanted]
        return Reply(data=data, headers={"Link": ", ".join(links)} if links else {})

    def _page_url(self, number: int) -> str:
        return f"{self.origin}{self.path}?{urlencode({**self.query, 'page': number})}"


def total(rows: Sequence[sqlite3.Row]) -> int:
    """How many rows a paged query has altogether."""
    return int(rows[0]["total"]) if rows else 0


@dataclass(frozen=True)
class Endpoint:
    """One line of a table: `path` is below the API's root, `needs` counts where the path names a repository."""

    method: str
    path: str
    handler: Callable[[Call], Reply]
    needs: Level = Level.READ

    @cached_property
    def scope(self) -> Scope:
        """What a token of an app has to be given; counts where the path names a repository."""
        return scope_of(self.method, self.path)

    @cached_property
    def actor(self) -> Actor:
        return actor_of(self.path)

    @cached_property
    def versioned(self) -> bool:
        """Whether nothing but the repository's version decides what the answer is."""
        return self.method == "GET" and self.path in {f"{HOME}/issues", f"{HOME}/issues/{{number}}"}

    @cached_property
    def bucket(self) -> Bucket | None:
        return bucket_of(self.path)
