"""Who asks: a person, an app, or an installation of an app with what its token allows."""

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass

from entropy.forge.apps import is_jwt, prove
from entropy.forge.permissions import Level, level, of_token, presented, token_hash
from entropy.forge.records import apps, users
from entropy.forge.refusals import Refusal, bad_credentials
from entropy.forge.scopes import Scope

PREFIX = "ghs_"
STEPS = ("", "read", "write", "admin")


@dataclass(frozen=True)
class Grant:
    """What an installation's token allows."""

    installation: sqlite3.Row
    permissions: Mapping[str, str]
    repositories: frozenset[int] | None
    """Ids; None means all that the installation reaches."""
    hashed: str

    def covers(self, db: sqlite3.Connection, repository: sqlite3.Row) -> bool:
        chosen = self.repositories is None or repository["id"] in self.repositories
        return chosen and apps.reaches(db, self.installation, repository)

    def allows(self, scope: Scope) -> bool:
        return any(self.may(name, write=scope.write) for name in scope.names)

    def may(self, name: str, *, write: bool) -> bool:
        held = self.permissions.get(name, "read" if name == "metadata" else "")
        return STEPS.index(held) >= (2 if write else 1)


@dataclass(frozen=True)
class Caller:
    user: sqlite3.Row
    """The person, or the app's bot."""
    app: sqlite3.Row | None = None
    """Set for apps and their installations."""
    grant: Grant | None = None
    """Set for installations."""

    @property
    def key(self) -> str:
        """Whose requests count together."""
        if self.grant:
            return f"installation ID {self.grant.installation['id']}"
        return f"app ID {self.app['id']}" if self.app else f"user ID {self.user['id']}"


def identify(db: sqlite3.Connection, header: str | None) -> Caller | None:
    """Who is behind an Authorization header; None without one; raises 401 for a wrong one."""
    if not header:
        return None
    token = presented(header)
    if is_jwt(token):
        app = prove(db, token)
        return Caller(users.known(db, app["bot_id"]), app)
    if token.startswith(PREFIX):
        return _installed(db, token)
    return Caller(of_token(db, token))


def _installed(db: sqlite3.Connection, token: str) -> Caller:
    row = apps.token(db, token_hash(token))
    installation = apps.installation(db, row["installation_id"]) if row and row["expires"] > time.time() else None
    app = apps.numbered(db, installation["app_id"]) if installation else None
    if row is None or installation is None or app is None:
        raise bad_credentials()
    if installation["suspended"]:
        raise Refusal(403, "This installation has been suspended")
    chosen = json.loads(row["repositories"]) if row["repositories"] else None
    grant = Grant(
        installation=installation,
        permissions=json.loads(row["permissions"]),
        repositories=None if chosen is None else frozenset(chosen),
        hashed=row["hash"],
    )
    return Caller(users.known(db, app["bot_id"]), app, grant)


def out_of_reach(scope: Scope) -> Refusal:
    headers = {"X-Accepted-GitHub-Permissions": scope.told}
    return Refusal(403, "Resource not accessible by integration", headers=headers)


def reach(
    db: sqlite3.Connection, home: sqlite3.Row, who: Caller | None, scope: Scope, *, needs: Level = Level.READ
) -> Level:
    """What somebody may do in a repository with a request that asks an app for `scope`, a person for `needs`.

    A token of an installation gets at least `needs` where it was given one of the permissions for this repository;
    what is public it may look at without. Raises 403 for the rest, as GitHub does.
    """
    if who is None or who.grant is None:
        if who and who.app:
            raise bad_credentials()
        return level(db, home, who.user if who else None)
    covered = who.grant.covers(db, home)
    if covered and who.grant.allows(scope):
        return max(needs, _standing(who.grant, scope))
    if home["private"] and not covered:
        return Level.NONE
    if scope.write or home["private"] or needs > Level.READ:
        raise out_of_reach(scope)
    return Level.READ


def _standing(grant: Grant, scope: Scope) -> Level:
    """The role that a person with this grant would have."""
    if grant.may("administration", write=True):
        return Level.ADMIN
    return Level.WRITE if scope.write or grant.may("contents", write=True) else Level.READ
