"""GitHub as one role sees it: the account behind its token and the rooms of the API that Entropy uses."""

from types import TracebackType
from typing import Self

from entropy.github.auth import MakeCredentials
from entropy.github.checks import Checks
from entropy.github.commits import Commits
from entropy.github.connection import Connection
from entropy.github.discovery import Discovery
from entropy.github.facts import RepositoryFacts, identity_of, repository_of
from entropy.github.issues import Issues
from entropy.github.limiting import Limiter
from entropy.github.pulls import Pulls
from entropy.github.reactions import Reactions
from entropy.github.reviews import Reviews
from entropy.github.search import Search
from entropy.github.sweep import Sweep
from entropy.github.threads import Threads
from entropy.github.timeline import Timeline
from entropy.github.trust import Trust
from entropy.github.watch import Lookout
from entropy.models import Identity, Secret
from entropy.settings import GitHubSettings


class GitHub:
    """Threads may share one; each gets a connection of its own. Making one sends nothing."""

    def __init__(
        self, settings: GitHubSettings, token: Secret | MakeCredentials, *, limiter: Limiter | None = None
    ) -> None:
        self._connection = Connection(settings, token, limiter=limiter)
        checks = Checks(self._connection)
        self.checks = checks
        self.reviews = Reviews(self._connection, checks)
        self.threads = Threads(self._connection)
        self.commits = Commits(self._connection)
        self.pulls = Pulls(self._connection, self.reviews, checks)
        self.issues = Issues(self._connection, self.pulls)
        self.discovery = Discovery(self._connection)
        self.watch = Lookout(self._connection)
        self.sweep = Sweep(self._connection)
        self.search = Search(self._connection)
        self.timeline = Timeline(self._connection)
        self.reactions = Reactions(self._connection)
        self.trust = Trust(self._connection)

    def identity(self) -> Identity:
        """Who the token belongs to; asked once."""
        return identity_of(self._connection.user, api=self._connection.api)

    def token(self, repository: str) -> Secret:
        """What git has to show to read and write this repository."""
        return self._connection.token(repository)

    def use(self, repository: str, run_id: str) -> None:
        """Note that a run works in a repository; the token for it stays at least until `retire`."""
        self._connection.credentials.use(repository, run_id)

    def retire(self, repository: str, run_id: str) -> bool:
        """The run is over: revoke the token if no other run uses it; whether there was one to revoke."""
        return self._connection.credentials.retire(repository, run_id)

    def repository(self, name: str) -> RepositoryFacts:
        return repository_of(self._connection.get(f"/repos/{name}", tried=f"read the repository {name}"))

    def close(self) -> None:
        """Close the calling thread's connection; those of other threads close when their threads end."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
