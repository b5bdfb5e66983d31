"""How a role shows the forge who it is: by a token of its own, or (see `apps`) as a GitHub App."""

import hashlib
import threading
from typing import Any, NamedTuple, Protocol

from entropy.github.transport import Request, Transport, told
from entropy.models import Secret


class Credential(NamedTuple):
    """A token, and whose limits its requests count against, where that is known without asking."""

    token: Secret
    identity: str


class Credentials(Protocol):
    """What a role has to show."""

    def present(self, within: str | None) -> Credential:
        """For a request about this repository ``owner/name``, this owner, or neither."""

    def identity(self, credential: Credential) -> str:
        """Whose limits a request with it counts against."""

    def account(self) -> dict[str, Any]:
        """Who acts, as the forge describes accounts."""

    def renounce(self, credential: Credential) -> bool:
        """The forge does not take it any more; true when another try gets another one."""


class PersonalToken:
    """A personal access token, for everything."""

    def __init__(self, token: Secret, transport: Transport) -> None:
        self._credential = Credential(token, hashlib.sha256(token.reveal().encode()).hexdigest()[:16])
        self._transport = transport
        self._lock = threading.Lock()
        self._account: dict[str, Any] | None = None

    def present(self, within: str | None) -> Credential:
        return self._credential

    def identity(self, credential: Credential) -> str:
        return f"user:{self.account()['login']}"

    def account(self) -> dict[str, Any]:
        with self._lock:
            if self._account is None:
                request = Request("GET", "/user", "ask the forge whose token this is")
                self._account = told(self._transport.send(request, self._credential.token), request.tried)
            return dict(self._account or {})

    def renounce(self, credential: Credential) -> bool:
        return False
