"""How a role shows the forge who it is: by a token of its own, or (see `apps`) as a GitHub App."""

import hashlib
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from entropy.github.transport import Request, Transport, told
from entropy.models import Secret


class Credential(NamedTuple):
    """A token, and whose limits its requests count against, where that is known without asking."""

    token: Secret
    identity: str
    name: str = ""
    sealed: bytes = b""
    """Where it is kept, and in what form, if it is kept for others too."""


class Credentials(Protocol):
    """What a role has to show."""

    def present(self, within: str | None, *, reads: bool) -> Credential:
        """For a request about this repository ``owner/name``, this owner, or neither."""

    def identity(self, credential: Credential) -> str:
        """Whose limits a request with it counts against."""

    def account(self) -> dict[str, Any]:
        """Who acts, as the forge describes accounts."""

    def owners(self) -> tuple[str | None, ...]:
        """Each owner on whose repositories an App is installed; None alone where this is no App."""

    def use(self, repository: str, run_id: str) -> None:
        """Note that a run works in a repository."""

    def retire(self, repository: str, run_id: str) -> bool:
        """That run is over: revoke what no other run uses; whether there was something to revoke."""

    def renounce(self, credential: Credential) -> bool:
        """The forge does not take it any more; true when another try gets another one."""


MakeCredentials = Callable[[Transport], Credentials]


class PersonalToken:
    """A personal access token, for everything."""

    def __init__(self, token: Secret, transport: Transport) -> None:
        self._credential = Credential(token, hashlib.sha256(token.reveal().encode()).hexdigest()[:16])
        self._transport = transport
        self._lock = threading.Lock()
        self._account: dict[str, Any] | None = None

    def present(self, within: str | None, *, reads: bool) -> Credential:
        return self._credential

    def identity(self, credential: Credential) -> str:
        return f"user:{self.account()['login']}"

    def account(self) -> dict[str, Any]:
        with self._lock:
            if self._account is None:
                request = Request("GET", "/user", "ask the forge whose token this is")
                self._account = told(self._transport.send(request, self._credential.token), request.tried)
            return dict(self._account or {})

    def owners(self) -> tuple[str | None, ...]:
        return (None,)

    def use(self, repository: str, run_id: str) -> None:
        """It is the role's own, and stays."""

    def retire(self, repository: str, run_id: str) -> bool:
        return False

    def renounce(self, credential: Credential) -> bool:
        return False
