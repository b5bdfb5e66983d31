"""One role's connection to the forge: PyGithub's requester per thread, plain JSON in and out.

PyGithub's objects fetch behind their reader's back (a listed issue without a `pull_request` key costs a request of its
own when it is asked for one), so bodies are read as they came. Authentication, addresses and pages are PyGithub's.
"""

import logging
import math
import os
import threading
from functools import cached_property
from typing import Any, NamedTuple

from github import Github
from github.GithubObject import NonCompletableGithubObject
from github.PaginatedList import PaginatedList
from github.Requester import Requester

from entropy.errors import ForgeUnavailable
from entropy.github.auth import authentication
from entropy.github.errors import translated
from entropy.github.graphql import refuse_graphql
from entropy.github.retries import ReadsOnly
from entropy.models import Secret, WorkItem
from entropy.settings import GitHubSettings

logger = logging.getLogger(__name__)

PER_PAGE = 100
API_VERSION = "2022-11-28"


class Row(NonCompletableGithubObject):
    """One element of a list that has nothing but its `raw_data`."""

    def _initAttributes(self) -> None:
        return

    def _useAttributes(self, attributes: dict[str, Any]) -> None:
        return


class Answer(NamedTuple):
    """What a conditional question brought: `etag` for the next one; `data` is None when nothing has changed."""

    etag: str | None
    data: Any


class Connection:
    def __init__(self, settings: GitHubSettings, token: Secret) -> None:
        self.api = settings.api.rstrip("/")
        self._timeout = math.ceil(settings.timeout)
        self._token = token
        self._threads = threading.local()

    def get(self, path: str, *, tried: str) -> dict[str, Any]:
        with translated(tried):
            headers, data = self._requester.requestJsonAndCheck("GET", path, headers=_accept())
        _expect_json(headers, tried)
        return dict(data)

    def compare(self, path: str, parameters: dict[str, Any] | None = None, *, etag: str | None, tried: str) -> Answer:
        """Read what is there unless `etag` says that it is known, which the forge does not charge for.

        One page; of a list, 100 elements.
        """
        wanted = {**(parameters or {}), "per_page": PER_PAGE} if parameters is not None else None
        known = {"If-None-Match": etag} if etag else {}
        with translated(tried):
            headers, data = self._requester.requestJsonAndCheck("GET", path, wanted, headers=_accept() | known)
        if data is None and etag:
            return Answer(etag, None)
        _expect_json(headers, tried)
        return Answer(headers.get("etag"), data)

    def graphql(self, document: str, variables: dict[str, Any], *, name: str, tried: str) -> dict[str, Any]:
        """Ask what REST has no word for; `name` is the document's operation. What is not found is null in the answer.

        A document that writes is sent once, as every write is.
        """
        body = {"query": document, "variables": variables, "operationName": name}
        with translated(tried):
            address = self._requester.graphql_url
            headers, answer = self._requester.requestJsonAndCheck("POST", address, headers=_accept(), input=body)
        _expect_json(headers, tried)
        refuse_graphql(answer.get("errors") or (), tried)
        return dict(answer.get("data") or {})

    def rows(
        self, path: str, parameters: dict[str, Any] | None = None, *, tried: str, under: str = "items"
    ) -> list[dict[str, Any]]:
        """Every element over all pages; `under` names the key that holds them when the answer is an object."""
        with translated(tried):
            pages = PaginatedList(
                Row, self._requester, path, dict(parameters or {}), headers=_accept(), list_item=under
            )
            rows = [row.raw_data for row in pages]
        if not all(isinstance(row, dict) for row in rows):
            raise _stranger(tried)
        return rows

    def write(self, verb: str, path: str, body: dict[str, Any] | None = None, *, target: object, action: str) -> Any:
        """Send one write, once. `target` is what it is about, `action` a phrase such as ``comment on``."""
        tried = f"{action} {target}"
        with translated(tried):
            headers, data = self._requester.requestJsonAndCheck(verb, path, headers=_accept(), input=body)
        if data is not None:
            _expect_json(headers, tried)
        logger.info("forge: %s", tried, extra={"item": str(target), "action": action})
        return data

    @cached_property
    def user(self) -> dict[str, Any]:
        """The account behind the token."""
        return self.get("/user", tried="ask the forge whose token this is")

    @cached_property
    def login(self) -> str:
        return str(self.user["login"])

    def close(self) -> None:
        """Close the calling thread's connection; those of other threads close when their threads end."""
        client: Github | None = getattr(self._threads, "client", None)
        if client is not None:
            client.close()

    @property
    def _requester(self) -> Requester:
        # A requester shared by threads can answer one thread with another's response, and one that crossed a fork
        # shares its socket with the parent.
        if getattr(self._threads, "process", None) != os.getpid():
            self._threads.client = self._client()
            self._threads.process = os.getpid()
        client: Github = self._threads.client
        return client.requester

    def _client(self) -> Github:
        return Github(
            auth=authentication(self._token),
            base_url=self.api,
            timeout=self._timeout,
            user_agent="entropy",
            per_page=PER_PAGE,
            retry=ReadsOnly.policy(),
            seconds_between_requests=0,
            seconds_between_writes=0,
            lazy=True,
            api_version=API_VERSION,
        )


def issue_path(item: WorkItem) -> str:
    return f"/repos/{item.repository}/issues/{item.number}"


def pull_path(item: WorkItem) -> str:
    return f"/repos/{item.repository}/pulls/{item.number}"


def _accept() -> dict[str, str]:
    return {"Accept": "application/vnd.github+json"}  # a new one each time: PyGithub writes into it


def _expect_json(headers: dict[str, Any], tried: str) -> None:
    if "json" not in str(headers.get("content-type", "")):
        raise _stranger(tried)


def _stranger(tried: str) -> ForgeUnavailable:
    return ForgeUnavailable(
        f"Could not {tried}: something else than the forge's API answered; check ENTROPY_GITHUB__API."
    )
