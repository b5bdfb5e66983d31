"""One exchange with the forge: a request and a token in, the answer out; PyGithub's requester per thread."""

import json
import math
import os
import re
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from github import Github
from github.Auth import Auth
from github.Requester import Requester

from entropy.errors import ForgeUnavailable
from entropy.github.errors import refusal, strays, translated
from entropy.github.retries import ReadsOnly
from entropy.models import Secret
from entropy.settings import GitHubSettings

API_VERSION = "2022-11-28"
PER_PAGE = 100
_NEXT = re.compile(r'<([^>]*)>;[^,]*\brel="?next\b')
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Request(NamedTuple):
    """What is asked. `path` is a path of the API, or an address that the forge gave."""

    verb: str
    path: str
    tried: str
    """A phrase for messages, such as ``read acme/widgets#3``."""
    parameters: Mapping[str, Any] = NOTHING
    body: Any = None
    etag: str | None = None
    within: str | None = None
    """The repository or the owner that this is about, where the path does not say it."""

    @property
    def reads(self) -> bool:
        if self.path == GRAPHQL:
            return not str(self.body["query"]).lstrip().startswith("mutation")
        return self.verb == "GET"


class Response(NamedTuple):
    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    text: str


GRAPHQL = "/graphql"


class Bearer(Auth):
    """The token of the exchange at hand; PyGithub masks it in its own debug log."""

    def __init__(self) -> None:
        self.present = Secret("")

    @property
    def token_type(self) -> str:
        return "Bearer"

    @property
    def token(self) -> str:
        return self.present.reveal()

    @property
    def _masked_token(self) -> str:
        return "Bearer ***"


class Client(NamedTuple):
    process: int
    github: Github
    bearer: Bearer

    @property
    def requester(self) -> Requester:
        return self.github.requester


class Transport:
    """Sends; threads may share one, each gets a connection of its own."""

    def __init__(self, settings: GitHubSettings) -> None:
        self.api = settings.api.rstrip("/")
        self._timeout = math.ceil(settings.timeout)
        self._threads = threading.local()

    def send(self, request: Request, token: Secret) -> Response:
        """Whatever was answered; raises `ForgeUnavailable` where nothing was, and `Redirected` for every redirect."""
        client = self._client()
        client.bearer.present = token
        address = client.requester.graphql_url if request.path == GRAPHQL else self._own(request)
        with translated(request.tried):
            status, headers, text = client.requester.requestJson(
                request.verb, address, dict(request.parameters), _headers(request), request.body
            )
        return Response(status, {name: str(value) for name, value in headers.items()}, text)

    def close(self) -> None:
        """Close the calling thread's connection; those of other threads close when their threads end."""
        client: Client | None = getattr(self._threads, "client", None)
        if client is not None:
            client.github.close()

    def _own(self, request: Request) -> str:
        """The path, if it is one of this forge: a credential goes nowhere else."""
        if request.path.startswith("/"):
            return request.path
        if not request.path.startswith(f"{self.api}/"):
            raise strays(request.tried)
        return request.path.removeprefix(self.api)

    def _client(self) -> Client:
        # A requester shared by threads can answer one thread with another's response, and one that crossed a fork
        # shares its socket with the parent.
        client: Client | None = getattr(self._threads, "client", None)
        if client is None or client.process != os.getpid():
            client = self._threads.client = self._made()
        return client

    def _made(self) -> Client:
        bearer = Bearer()
        github = Github(
            auth=bearer,
            base_url=self.api,
            timeout=self._timeout,
            user_agent="entropy",
            retry=ReadsOnly.policy(),
            seconds_between_requests=0,
            seconds_between_writes=0,
            lazy=True,
            api_version=API_VERSION,
        )
        return Client(os.getpid(), github, bearer)


def _headers(request: Request) -> dict[str, str]:
    headers = {"Accept": "application/vnd.github+json"}  # a new one each time: PyGithub writes into it
    return headers | ({"If-None-Match": request.etag} if request.etag else {})


def told(response: Response, tried: str) -> Any:
    """What the forge said, read; raises what an answer of 400 and above means."""
    status, headers, text = response
    if status >= 400:
        raise refusal(status, headers, read_leniently(text), tried)
    if status in {204, 304} or not text:
        return None
    if "json" not in headers.get("content-type", ""):
        raise ForgeUnavailable(
            f"Could not {tried}: something else than the forge's API answered; check ENTROPY_GITHUB__API."
        )
    with translated(tried):
        return json.loads(text)


def next_page(response: Response) -> str | None:
    """The address of what follows in a list."""
    link = _NEXT.search(response.headers.get("link", ""))
    return link[1] if link else None


def read_leniently(text: str) -> Any:
    """What is not JSON says nothing."""
    try:
        return json.loads(text)
    except ValueError:
        return None
