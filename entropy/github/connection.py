"""One role's connection to the forge: plain JSON in and out.

PyGithub's objects fetch behind their reader's back (a listed issue without a `pull_request` key costs a request of its
own when it is asked for one), so bodies are read as they came, and pages followed here.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin

from entropy.github.auth import MakeCredentials, PersonalToken
from entropy.github.errors import clock
from entropy.github.exchange import Exchange
from entropy.github.graphql import refuse_graphql
from entropy.github.limiting import Limiter
from entropy.github.places import repository_in
from entropy.github.transport import GRAPHQL, PER_PAGE, Request, Transport, next_page
from entropy.models import Secret, WorkItem
from entropy.settings import GitHubSettings

logger = logging.getLogger(__name__)

Rows = list[dict[str, Any]]


class Conditional(NamedTuple):
    """What a conditional question brought: `etag` for the next one; `data` is None when nothing has changed."""

    etag: str | None
    data: Any
    clock: float
    """Seconds since the epoch, as the forge has it."""


class Connection:
    """`within` names the repository or owner that a request is about, where its path does not say it."""

    def __init__(
        self, settings: GitHubSettings, token: Secret | MakeCredentials, *, limiter: Limiter | None = None
    ) -> None:
        """`token`, or for what is more than a token how to make credentials that ask the forge by our transport."""
        self._transport = Transport(settings)
        self.api = self._transport.api
        credentials = PersonalToken(token, self._transport) if isinstance(token, Secret) else token(self._transport)
        self.credentials = credentials
        self._exchange = Exchange(self._transport, credentials, limiter)

    def get(self, path: str, *, tried: str, within: str | None = None) -> dict[str, Any]:
        _, data = self._exchange.send(Request("GET", path, tried, within=within))
        return dict(data)

    def rows(
        self,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        tried: str,
        under: str = "items",
        within: str | None = None,
    ) -> Rows:
        """Every element over all pages; `under` names the key that holds them when the answer is an object."""
        request = Request("GET", path, tried, _paged(parameters), within=within)
        return [row for data in self._pages(request) for row in _elements(data, under)]

    def compare(
        self,
        path: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        etag: str | None,
        tried: str,
        within: str | None = None,
    ) -> Conditional:
        """Read what is there unless `etag` says that it is known, which the forge does not charge for.

        One page; of a list, 100 elements.
        """
        wanted = {} if parameters is None else _paged(parameters)
        response, data = self._exchange.send(Request("GET", path, tried, wanted, etag=etag, within=within))
        unchanged, told_at = response.status == 304, clock(response.headers)
        return (
            Conditional(etag, None, told_at) if unchanged else Conditional(response.headers.get("etag"), data, told_at)
        )

    def locate(self, path: str, *, tried: str) -> str:
        """The address to which the forge redirects; it may be a credential by itself, and none of ours may go there."""
        return urljoin(f"{self.api}/", self._exchange.locate(Request("GET", path, tried)))

    def write(self, verb: str, path: str, body: dict[str, Any] | None = None, *, target: object, action: str) -> Any:
        """Send one write, once. `target` is what it is about, `action` a phrase such as ``comment on``."""
        tried = f"{action} {target}"
        _, data = self._exchange.send(Request(verb, path, tried, body=body))
        logger.info("forge: %s", tried, extra={"item": str(target), "action": action})
        return data

    def graphql(
        self, document: str, variables: dict[str, Any], *, name: str, tried: str, within: str | None = None
    ) -> dict[str, Any]:
        """Ask what REST has no word for; `name` is the document's operation. What is not found is null in the answer.

        A document that writes is sent once, as every write is.
        """
        return self.graphql_at(document, variables, name=name, tried=tried, within=within)[0]

    def graphql_at(
        self, document: str, variables: dict[str, Any], *, name: str, tried: str, within: str | None = None
    ) -> tuple[dict[str, Any], float]:
        """The same, and what the forge's clock showed then."""
        body = {"query": document, "variables": variables, "operationName": name}
        if within is None and {"owner", "name"} <= variables.keys():
            within = f"{variables['owner']}/{variables['name']}"
        response, answer = self._exchange.send(Request("POST", GRAPHQL, tried, body=body, within=within))
        refuse_graphql(answer.get("errors") or (), tried)
        return dict(answer.get("data") or {}), clock(response.headers)

    def name(self, repository: str) -> str:
        """The present name of a repository that is known to have been renamed, else the name as it is."""
        return self._exchange.places.name(repository)

    def token(self, repository: str) -> Secret:
        return self.credentials.present(repository, reads=False).token

    def owners(self) -> tuple[str | None, ...]:
        """Each owner on whose repositories an App is installed, to name in `within`; None alone where it is no App."""
        return self.credentials.owners()

    @property
    def user(self) -> dict[str, Any]:
        """The account that acts."""
        return self.credentials.account()

    @property
    def login(self) -> str:
        return str(self.user["login"])

    def close(self) -> None:
        """Close the calling thread's connection; those of other threads close when their threads end."""
        self._transport.close()

    def _pages(self, request: Request) -> Iterator[Any]:
        following: Request | None = request
        while following is not None:
            response, data = self._exchange.send(following)
            yield data
            within, page = request.within or repository_in(request.path), next_page(response)
            following = Request("GET", page, request.tried, within=within) if page else None


def issue_path(item: WorkItem) -> str:
    return f"/repos/{item.repository}/issues/{item.number}"


def pull_path(item: WorkItem) -> str:
    return f"/repos/{item.repository}/pulls/{item.number}"


def _paged(parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    return dict(sorted({"per_page": PER_PAGE, **(parameters or {})}.items()))


def _elements(data: Any, under: str) -> Rows:
    return [dict(row) for row in (data.get(under, ()) if isinstance(data, dict) else data or ())]
