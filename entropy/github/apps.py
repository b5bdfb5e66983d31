"""A GitHub App as itself: where it is installed, and the tokens that it may ask for there."""

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from github.Auth import AppAuth
from jwt.exceptions import InvalidKeyError

from entropy.errors import ConfigurationError, ForgeRefused
from entropy.github.errors import clock
from entropy.github.transport import Request, Response, Transport, next_page, told
from entropy.models import Secret


class AppInstallation(NamedTuple):
    number: int
    owner: str
    granted: Mapping[str, str]


class AppToken(NamedTuple):
    """A token, and for how many seconds the forge takes it, by the forge's own clock."""

    token: Secret
    lifetime: float


class GitHubApp:
    """Speaks by signed tokens that are good for a few minutes; `number` is what GitHub calls the App's id."""

    def __init__(self, number: int, private_key: Secret, transport: Transport) -> None:
        self.number = number
        self._key = private_key
        self._transport = transport
        self._lock = threading.Lock()
        self._installations: dict[str, AppInstallation] = {}
        self._slug = ""

    def slug(self) -> str:
        """The App's name in addresses; its account is ``<slug>[bot]``."""
        with self._lock:
            if not self._slug:
                _, data = self._ask("GET", "/app", "ask the forge which App this is")
                self._slug = str(data["slug"])
            return self._slug

    def installations(self) -> tuple[AppInstallation, ...]:
        """Where it is installed and not suspended, as the forge says now."""
        found = tuple(_installation(row) for row in self._rows() if not row.get("suspended_at"))
        with self._lock:
            self._installations = {each.owner.lower(): each for each in found}
        return found

    def installation(self, owner: str) -> AppInstallation:
        """That of this owner; one that is not known yet may be new."""
        with self._lock:
            known = self._installations.get(owner.lower())
        if known is None:
            known = next((each for each in self.installations() if each.owner.lower() == owner.lower()), None)
        if known is None:
            raise ForgeRefused(
                f"The GitHub App {self.number} is not installed for {owner}, or suspended there; install it, or take "
                "its repositories out of the settings."
            )
        return known

    def forget(self, owner: str) -> None:
        """What was known of this owner's installation is wrong."""
        with self._lock:
            self._installations.pop(owner.lower(), None)

    def grant(self, installation: AppInstallation, permissions: Mapping[str, str], repository: int | None) -> AppToken:
        """A token for one repository, by its id, or for all that the App is installed on there."""
        body: dict[str, Any] = {"permissions": dict(permissions)}
        if repository is not None:
            body["repository_ids"] = [repository]
        path = f"/app/installations/{installation.number}/access_tokens"
        tried = f"ask for a token of the GitHub App {self.number} for {installation.owner}"
        response, data = self._ask("POST", path, tried, body)
        ends = datetime.fromisoformat(data["expires_at"]).timestamp()
        return AppToken(Secret(data["token"]), ends - clock(response.headers))

    def revoke(self, token: Secret) -> None:
        request = Request("DELETE", "/installation/token", "revoke a token")
        told(self._transport.send(request, token), request.tried)

    def failed_deliveries(self, pages: int) -> Iterator[dict[str, Any]]:
        """The webhooks that did not arrive, the latest attempt first; at most so many pages of a hundred."""
        path: str | None = "/app/hook/deliveries?per_page=100&status=failure"
        while path is not None and pages:
            response, data = self._ask("GET", path, f"list the webhooks of the GitHub App {self.number}")
            yield from data
            path, pages = next_page(response), pages - 1

    def redeliver(self, attempt: int) -> None:
        """Have a webhook sent again, by the number of an attempt at it."""
        tried = f"have a webhook of the GitHub App {self.number} sent again"
        self._ask("POST", f"/app/hook/deliveries/{attempt}/attempts", tried)

    def _rows(self) -> Iterator[dict[str, Any]]:
        path: str | None = "/app/installations?per_page=100"
        while path is not None:
            response, data = self._ask("GET", path, f"list where the GitHub App {self.number} is installed")
            yield from data
            path = next_page(response)

    def _ask(self, verb: str, path: str, tried: str, body: Any = None) -> tuple[Response, Any]:
        response = self._transport.send(Request(verb, path, tried, body=body), self._proof())
        return response, told(response, tried)

    def _proof(self) -> Secret:
        try:
            return Secret(AppAuth(self.number, self._key.reveal()).create_jwt())
        except (InvalidKeyError, ValueError, TypeError) as error:  # the error's words may hold a part of the key
            raise ConfigurationError(
                f"The secret github-app-key of the GitHub App {self.number} is not a private key in PEM form "
                f"({type(error).__name__}); download a new one from the App's settings."
            ) from None


def _installation(row: Mapping[str, Any]) -> AppInstallation:
    account = row["account"]
    return AppInstallation(int(row["id"]), str(account.get("login") or account.get("slug")), dict(row["permissions"]))
