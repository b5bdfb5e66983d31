"""Secrets in a Vault or an OpenBao: each role logs in as itself and reads below ``entropy/<role>/`` of KV v2."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import hvac
import requests
from hvac import exceptions as refusals

from entropy.errors import ConfigurationError, SecretNotFound, SecretsUnavailable
from entropy.models import Secret
from entropy.secrets.files import read_secret
from entropy.secrets.provider import checked
from entropy.settings import VaultSettings

CACHE_SECONDS = 60.0
TIMEOUT = 10.0
KEY = "value"
"""The one key of a secret's KV entry."""

_LATER = (
    refusals.VaultDown,  # sealed
    refusals.VaultNotInitialized,
    refusals.InternalServerError,
    refusals.BadGateway,
    refusals.RateLimitExceeded,
    requests.RequestException,
)


class _Session(NamedTuple):
    client: hvac.Client
    lease: float


class _Cached(NamedTuple):
    secret: Secret
    until: float


class _Held:
    """What one process holds. A fork starts without: a token is not shared, and neither is a socket."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.lock = threading.Lock()
        self.sessions: dict[str, _Session] = {}
        self.cache: dict[tuple[str, str], _Cached] = {}


class VaultSecrets:
    """Logs in by AppRole when a role's first secret is asked for; `clock` counts seconds."""

    def __init__(self, settings: VaultSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._held = _Held()

    def get(self, role: str, name: str) -> Secret:
        role, name = checked(role, name)
        if self._held.process != os.getpid():
            self._held = _Held()
        held = self._held
        with held.lock, self._translated(role, name):
            cached = held.cache.get((role, name))
            if cached is None or cached.until <= self._clock():
                cached = held.cache[role, name] = self._read(held, role, name)
            return cached.secret

    def _read(self, held: _Held, role: str, name: str) -> _Cached:
        held.cache.pop((role, name), None)
        session = held.sessions.get(role)
        if session is None:
            session = held.sessions[role] = self._login(role)
            return self._fetch(session, role, name)
        try:
            return self._fetch(session, role, name)
        except refusals.Forbidden:
            # An expired token and a policy that says no look the same: a new token tells which it is.
            session.client.adapter.close()
            session = held.sessions[role] = self._login(role)
            return self._fetch(session, role, name)

    def _login(self, role: str) -> _Session:
        folder = self._settings.approle_directory
        role_id, secret_id = (read_secret(folder / f"{role}_{part}").reveal() for part in ("role_id", "secret_id"))
        # Without a token of its own, hvac takes VAULT_TOKEN or ~/.vault-token: somebody else's.
        client = hvac.Client(url=self._settings.address, token="", timeout=TIMEOUT)
        try:
            answer = client.auth.approle.login(role_id, secret_id)
        except (refusals.InvalidRequest, refusals.Forbidden, refusals.Unauthorized):
            raise ConfigurationError(
                f"The Vault does not accept the AppRole of {role}; run ops/vault/bootstrap for a new secret id."
            ) from None
        return _Session(client=client, lease=answer["auth"]["lease_duration"])

    def _fetch(self, session: _Session, role: str, name: str) -> _Cached:
        asked = self._clock()
        answer = session.client.secrets.kv.v2.read_secret_version(
            f"entropy/{role}/{name}", mount_point=self._settings.mount, raise_on_deleted_version=True
        )
        value = answer["data"]["data"].get(KEY)
        if not isinstance(value, str) or not value:
            raise SecretNotFound(f"The Vault's entropy/{role}/{name} has no text under {KEY!r}; write it there.")
        return _Cached(secret=Secret(value), until=asked + min(CACHE_SECONDS, session.lease / 2))

    @contextmanager
    def _translated(self, role: str, name: str) -> Iterator[None]:
        place = f"{self._settings.mount}/entropy/{role}/{name}"
        try:
            yield
        except _LATER as error:
            raise SecretsUnavailable(
                f"The Vault at {self._settings.address} gives no secrets now ({type(error).__name__}); see its status."
            ) from None
        except refusals.Forbidden:
            raise SecretNotFound(
                f"The Vault does not let {role} read {place}; see the policy in ops/vault/policies."
            ) from None
        except refusals.InvalidPath:
            raise SecretNotFound(f"The Vault has no secret {place}; write one with the key {KEY!r}.") from None
        except refusals.VaultError as error:
            raise ConfigurationError(
                f"The Vault at {self._settings.address} refuses {place} ({type(error).__name__}); "
                "see the address and the mount."
            ) from None
