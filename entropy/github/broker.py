"""The token broker: what a role that is a GitHub App shows the forge, made once for all processes, sealed while kept.

A token is good for one role in one repository. Reads of the scheduler, and what names an owner only, use one that is
for all repositories of an installation and can only read: ETags hold for one token, so everybody shares it.
"""

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from entropy.errors import ForgeRefused, ForgeUnavailable
from entropy.github.apps import GitHubApp
from entropy.github.auth import Credential
from entropy.github.errors import Unauthorized
from entropy.github.permissions import LOOKING, WHOLE, narrowed, permissions, reading
from entropy.github.places import number_in
from entropy.github.retries import Redirected
from entropy.github.sealing import Seal
from entropy.github.transport import Request, Transport, told
from entropy.models import Secret

EARLY = 600.0
"""Seconds before its end from which a token is not handed out any more: as long as one fetch by git may take."""


class TokenStore(Protocol):
    """Keeps sealed tokens for all processes."""

    def obtain(self, name: str, make: Callable[[], tuple[bytes, float]]) -> bytes:
        """The token of this name; of all who ask for one that is not there, one makes it."""

    def discard(self, name: str, sealed: bytes) -> None:
        """Forget it, for the forge takes it no more."""

    def use(self, name: str, run_id: str) -> None:
        """Note that a run uses it from now on."""

    def retire(self, name: str, run_id: str) -> bytes | None:
        """Take it out of use if this run was its last user."""


class TokenScope(NamedTuple):
    """What a token is for: one repository, or all of an owner's to read."""

    role: str
    owner: str
    repository: str | None

    @property
    def name(self) -> str:
        return f"{self.role}:{(self.repository or self.owner).lower()}"


class Broker:
    """The credentials of one role; `known` is told each token, to keep it out of the logs."""

    def __init__(
        self,
        role: str,
        app: GitHubApp,
        key: Secret,
        *,
        transport: Transport,
        store: TokenStore,
        known: Callable[[str], None],
    ) -> None:
        self._role = role
        self._app = app
        self._transport = transport
        self._store = store
        self._seal = Seal(key)
        self._known = known
        self._lock = threading.Lock()
        self._account: dict[str, Any] | None = None

    def present(self, within: str | None, *, reads: bool) -> Credential:
        return self._credential(self._scope(within, reads=reads))

    def identity(self, credential: Credential) -> str:
        return credential.identity

    def account(self) -> dict[str, Any]:
        """The App's bot; ``/user`` is closed to Apps."""
        with self._lock:
            if self._account is None:
                login, owner = f"{self._app.slug()}[bot]", self.owners()[0]
                self._account = self._look(owner, f"/users/{quote(login)}", login)
            return dict(self._account or {})

    def owners(self) -> tuple[str, ...]:
        """Whose repositories the App is installed on."""
        owners = tuple(each.owner for each in self._app.installations())
        if not owners:
            raise ForgeRefused(f"The GitHub App {self._app.number} is installed nowhere; install it.")
        return owners

    def renounce(self, credential: Credential) -> bool:
        if credential.name:
            self._store.discard(credential.name, credential.sealed)
        return bool(credential.name)

    def use(self, repository: str, run_id: str) -> None:
        """Note that a run works in a repository, so that its token stays until the last run of this role is over."""
        self._store.use(self._name(self._scope(repository, reads=False)), run_id)

    def retire(self, repository: str, run_id: str) -> bool:
        """Revoke the token of this repository if no other run uses it; whether there was one to revoke."""
        name = self._name(self._scope(repository, reads=False))
        sealed = self._store.retire(name, run_id)
        content = self._opened(name, sealed) if sealed else None
        if content is None:
            return False
        self._app.revoke(Secret(content["token"]))
        return True

    def _scope(self, within: str | None, *, reads: bool) -> TokenScope:
        if within is None:
            owners = self.owners()
            if len(owners) > 1:
                raise ForgeRefused(f"The GitHub App {self._app.number} has several installations; name one.")
            within = owners[0]
        owner, _, repository = within.partition("/")
        if not repository or (self._role in WHOLE and reads):
            return TokenScope(self._role, owner, None)
        return TokenScope(self._role, owner, within)

    def _name(self, scope: TokenScope) -> str:
        return f"{self._app.number}:{scope.name}"

    def _credential(self, scope: TokenScope) -> Credential:
        name = self._name(scope)
        for _ in range(2):
            sealed = self._store.obtain(name, lambda: self._made(scope))
            content = self._opened(name, sealed)
            if content is not None:
                self._known(content["token"])
                return Credential(Secret(content["token"]), f"installation:{content['installation']}", name, sealed)
            self._store.discard(name, sealed)  # sealed with the key that the App had before
        raise ForgeUnavailable(
            "Two workers have different private keys of one GitHub App; give all of them the new one."
        )

    def _made(self, scope: TokenScope) -> tuple[bytes, float]:
        try:
            return self._granted(scope)
        except ForgeRefused:
            self._app.forget(scope.owner)  # it may have been installed anew, or with other permissions
            return self._granted(scope)

    def _granted(self, scope: TokenScope) -> tuple[bytes, float]:
        installation = self._app.installation(scope.owner)
        wanted = self._wanted(scope, installation.granted)
        number = self._number(scope.repository) if scope.repository else None
        token, lifetime = self._app.grant(installation, wanted, number)
        self._known(token.reveal())
        content = {"token": token.reveal(), "installation": installation.number}
        sealed = self._seal.close(self._name(scope), json.dumps(content).encode())
        return sealed, max(lifetime - EARLY, lifetime / 2)

    def _wanted(self, scope: TokenScope, granted: Mapping[str, str]) -> dict[str, str]:
        if not scope.role:
            return narrowed(LOOKING, granted)
        wanted = permissions(scope.role, granted)
        return wanted if scope.repository else reading(wanted)

    def _number(self, repository: str) -> int:
        """The id of a repository, whatever it is called by now."""
        try:
            return int(self._look(repository.partition("/")[0], f"/repos/{repository}", repository)["id"])
        except Redirected as redirected:
            number = number_in(redirected.location)
            if number is None:
                raise
            return number

    def _look(self, owner: str, path: str, name: str) -> dict[str, Any]:
        """Read with a token that can do nothing else."""
        request, scope = Request("GET", path, f"look for {name}"), TokenScope("", owner, None)
        credential = self._credential(scope)
        try:
            return dict(told(self._transport.send(request, credential.token), request.tried))
        except Unauthorized:
            self.renounce(credential)
        return dict(told(self._transport.send(request, self._credential(scope).token), request.tried))

    def _opened(self, name: str, sealed: bytes) -> dict[str, Any] | None:
        content = self._seal.open(name, sealed)
        return None if content is None else dict(json.loads(content))
