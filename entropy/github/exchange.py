"""The way of every request: the right address, the right token, its turn, and once more where that is safe."""

import logging
from typing import Any

from entropy.errors import ForgeRefused, RateLimited
from entropy.github.auth import Credential, Credentials
from entropy.github.errors import Unauthorized, strays
from entropy.github.limiting import Limiter, content, importance, resource, standing
from entropy.github.places import Places, number_in, repository_in
from entropy.github.retries import Redirected
from entropy.github.transport import Request, Response, Transport, told

logger = logging.getLogger(__name__)

REFUSED = frozenset({301, 307, 308})
"""The redirects that say that nothing was done; a write may be sent again after them, to the right address."""


FOUND = 302
"""The redirect to a thing itself."""


class Exchange:
    """Without a limiter, for a tool that has no Redis, every request is sent at once."""

    def __init__(self, transport: Transport, credentials: Credentials, limiter: Limiter | None) -> None:
        self.places = Places()
        self._transport = transport
        self._credentials = credentials
        self._limiter = limiter

    def send(self, request: Request) -> tuple[Response, Any]:
        """The answer, and what it says; a repository that was renamed is found again by its id."""
        present = request._replace(path=self.places.path(request.path))
        try:
            response, data = self._authorised(present)
        except Redirected as redirected:
            response, data = self._authorised(self._moved(present, redirected))
        if request.verb == "GET":
            self.places.learn(present.path, data)
        return response, data

    def locate(self, request: Request) -> str:
        """Where the forge has put what is asked for: the redirect that elsewhere is a mistake is the answer here."""
        present = request._replace(path=self.places.path(request.path))
        for _ in range(2):
            try:
                self._authorised(present)
            except Redirected as redirected:
                if redirected.status == FOUND:
                    return redirected.location
                present = self._moved(present, redirected)
        raise strays(request.tried)

    def _moved(self, request: Request, redirected: Redirected) -> Request:
        """The same request at the repository's present name; raises the redirect where that is not known."""
        old = repository_in(request.path)
        number = (number_in(redirected.location) or self.places.id_of(old)) if old else None
        if old is None or number is None or not (request.reads or redirected.status in REFUSED):
            raise redirected
        question = Request("GET", f"/repositories/{number}", request.tried, within=old)
        try:
            _, facts = self._authorised(question)
        except ForgeRefused as refused:
            raise ForgeRefused(
                f"Could not {request.tried}: {old} was renamed, transferred or deleted, and this role may not see "
                "where it went; install the App or renew the token there, or take it out of the settings."
            ) from refused
        new = str(facts["full_name"])
        logger.info("repository renamed", extra={"old": old, "new": new})
        self.places.move(old, new)
        return request._replace(path=self.places.path(request.path))

    def _authorised(self, request: Request) -> tuple[Response, Any]:
        """A token that was taken back meanwhile is replaced once: a 401 says that nothing was done."""
        within = request.within or repository_in(request.path)
        credential = self._credentials.present(within, reads=request.reads)
        try:
            return self._once(request, credential)
        except Unauthorized:
            if not self._credentials.renounce(credential):
                raise
        return self._once(request, self._credentials.present(within, reads=request.reads))

    def _once(self, request: Request, credential: Credential) -> tuple[Response, Any]:
        response = self._in_turn(request, credential)
        return response, told(response, request.tried)

    def _in_turn(self, request: Request, credential: Credential) -> Response:
        if self._limiter is None:
            return self._transport.send(request, credential.token)
        identity = self._credentials.identity(credential)
        try:
            turn = self._limiter.enter(identity, resource(request), importance(request), content=content(request))
        except RateLimited as limited:
            raise RateLimited(f"Could not {request.tried}: {limited}", retry_after=limited.retry_after) from None
        seen = None
        try:
            response = self._transport.send(request, credential.token)
            seen = standing(response, turn)
        except Redirected:
            seen = standing(Response(0, {}, ""), turn)
            raise
        finally:
            self._limiter.leave(turn, seen)
        return response
