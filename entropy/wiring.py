"""The only place where concrete parts meet: a process's toolbox."""

import logging
import os
from collections.abc import Callable, Mapping
from functools import cached_property, partial

from entropy.agents.registry import RESERVED, AgentRegistry
from entropy.errors import PermanentError, SecretNotFound
from entropy.github.apps import GitHubApp
from entropy.github.auth import MakeCredentials
from entropy.github.broker import Broker
from entropy.github.client import GitHub
from entropy.github.transport import Transport
from entropy.logging.redaction import Redaction
from entropy.models import Secret
from entropy.repository.mirror import Mirror
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend
from entropy.secrets.factory import make_provider
from entropy.secrets.provider import SecretProvider
from entropy.settings import Settings, settings
from entropy.state.announcements import Announcements
from entropy.state.artifacts import Artifacts
from entropy.state.claims import Claims
from entropy.state.connection import RedisConnection
from entropy.state.hints import Hints
from entropy.state.holds import Holds
from entropy.state.intents import Intents, Reached, unwatched
from entropy.state.keys import Keys
from entropy.state.limits import FleetLimits
from entropy.state.looks import Looks
from entropy.state.objects import Objects
from entropy.state.people import People
from entropy.state.reruns import Reruns
from entropy.state.rounds import Rounds
from entropy.state.runs import Runs
from entropy.state.sightings import Sightings
from entropy.state.snapshots import Snapshots
from entropy.state.tokens import Tokens
from entropy.state.waiting import Waiting

log = logging.getLogger(__name__)

TOKEN = "github-token"  # noqa: S105 - the secret's name
APP_KEY = "github-app-key"
SANDBOX = "sandbox"
"""Whose secrets the keys of models are."""

REQUEST_OPERATIONS = 4
"""To connect, to send, to hear the answer begin and end: each may take as long as one operation on a socket may."""


class Toolbox:
    """What stages and the scheduler work with. Each part is made when it is first used.

    A part whose settings this process lacks raises on use: an execute worker has no secrets, a control worker
    no sandbox.
    """

    def __init__(self, settings: Settings, *, reached: Reached = unwatched, patience: int = 1) -> None:
        """`reached` is told each point between two steps of a run, so that a test can have a worker die there.

        `patience`: for how many seconds a Redis that is away is waited for.
        """
        self.settings = settings
        self.reached = reached
        self.connection = RedisConnection(settings.redis, patience=patience)
        self._keys = Keys(settings.redis.prefix)
        self._forges: dict[str, GitHub] = {}

    @cached_property
    def agents(self) -> AgentRegistry:
        return AgentRegistry.load(self.settings.engines)

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.connection, self._keys, self.settings.scheduling)

    @cached_property
    def intents(self) -> Intents:
        return Intents(self.connection, self._keys, reached=self.reached)

    @cached_property
    def claims(self) -> Claims:
        return Claims(self.connection, self._keys)

    @cached_property
    def holds(self) -> Holds:
        return Holds(self.connection, self._keys, first=self.settings.scheduling.interval)

    @cached_property
    def people(self) -> People:
        return People(self.connection, self._keys, memory=self.settings.trust.memory)

    @cached_property
    def sightings(self) -> Sightings:
        return Sightings(self.connection, self._keys)

    @cached_property
    def hints(self) -> Hints:
        return Hints(self.connection, self._keys)

    @cached_property
    def looks(self) -> Looks:
        return Looks(self.connection, self._keys)

    @cached_property
    def rounds(self) -> Rounds:
        return Rounds(self.connection, self._keys)

    @cached_property
    def waiting(self) -> Waiting:
        return Waiting(self.connection, self._keys)

    @cached_property
    def reruns(self) -> Reruns:
        return Reruns(self.connection, self._keys)

    @cached_property
    def artifacts(self) -> Artifacts:
        return Artifacts(self.connection, self._keys, self._objects)

    @cached_property
    def snapshots(self) -> Snapshots:
        return Snapshots(self.connection, self._keys, self._objects, keep=self.settings.artifacts.keep)

    @cached_property
    def _objects(self) -> Objects:
        return Objects(self.connection, self._keys, self.settings.artifacts)

    @cached_property
    def announcements(self) -> Announcements:
        return Announcements(self.connection, self._keys)

    @cached_property
    def secrets(self) -> SecretProvider:
        return make_provider(self.settings.secrets)

    @cached_property
    def sandboxes(self) -> Backend:
        return make_backend(self.settings.sandbox, self._model_key)

    @cached_property
    def limits(self) -> FleetLimits:
        github, lease = self.settings.github, self.settings.scheduling.lease
        bounds = github.limits.model_copy(update={"patience": min(github.limits.patience, lease)})
        return FleetLimits(self.connection, self._keys, bounds, span=REQUEST_OPERATIONS * github.timeout)

    @cached_property
    def tokens(self) -> Tokens:
        return Tokens(self.connection, self._keys, patience=REQUEST_OPERATIONS * self.settings.github.timeout)

    def github(self, role: str) -> GitHub:
        """The forge, as this role."""
        if role not in self._forges:
            self._forges[role] = GitHub(self.settings.github, self._credentials(role), limiter=self.limits)
        return self._forges[role]

    def app(self, role: str) -> GitHubApp | None:
        """The GitHub App that this role is, if it is one."""
        apps = self.settings.github.apps
        number = apps.get(role, apps.get("*"))
        if number is None:
            return None
        return GitHubApp(number, self.secrets.get(role, APP_KEY), Transport(self.settings.github))

    @cached_property
    def identities(self) -> Mapping[str, str]:
        """The login of each role whose credentials this process has."""
        found = {}
        for role in (*self.agents.roles(), *RESERVED[:1]):
            try:
                found[role] = self.github(role).identity().login
            except SecretNotFound:
                continue  # another worker has this role's credentials
            except PermanentError as error:
                log.warning("role without a login", extra={"role": role, "why": str(error)})
        return found

    def logins(self) -> frozenset[str]:
        """The accounts of our own roles in lower case: those this process holds, and those that others told of."""
        self.people.introduce(self.identities)
        known = {**self.people.names(), **self.identities}
        return frozenset(login.casefold() for login in known.values())

    def mirror(self, role: str, repository: str) -> Mirror:
        """The mirror of a repository, fetched and pushed as this role."""
        github = self.github(role)
        url = github.repository(repository).clone_url
        return Mirror(self.settings.repository, url=url, token=github.token(repository))

    def _model_key(self, name: str) -> Secret:
        """Held by whoever runs sandboxes, which is nobody who holds a role's credentials."""
        secret = self.secrets.get(SANDBOX, name)
        Redaction.register(secret.reveal())
        return secret

    def _credentials(self, role: str) -> Secret | MakeCredentials:
        apps = self.settings.github.apps
        number = apps.get(role, apps.get("*"))
        secret = self.secrets.get(role, TOKEN if number is None else APP_KEY)
        Redaction.register(secret.reveal())
        return secret if number is None else partial(self._broker, role, number, secret)

    def _broker(self, role: str, number: int, key: Secret, transport: Transport) -> Broker:
        app = GitHubApp(number, key, transport)
        return Broker(role, app, key, transport=transport, store=self.tokens, known=Redaction.register)


_toolboxes: dict[int, Toolbox] = {}
_make: list[Callable[[], Toolbox]] = [lambda: Toolbox(settings())]


def equip(make: Callable[[], Toolbox]) -> None:
    """Have the toolboxes of this process and of its children made by `make`."""
    _make[:] = [make]
    _toolboxes.clear()


def toolbox() -> Toolbox:
    """This process's toolbox. A forked child makes its own: connections and logins do not survive a fork."""
    process = os.getpid()
    if process not in _toolboxes:
        _toolboxes[process] = _make[0]()
    return _toolboxes[process]
