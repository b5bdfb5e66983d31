"""Which requests are sent again: reads a few times, writes never; and no redirect is ever followed."""

from types import TracebackType
from typing import Self

from urllib3 import Retry
from urllib3.connectionpool import ConnectionPool
from urllib3.response import BaseHTTPResponse

from entropy.errors import ForgeRefused

READS = frozenset({"GET", "HEAD"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Redirected(ForgeRefused):
    """The forge points elsewhere. Whether that means that nothing was done depends on `status`."""

    def __init__(self, message: str | None = None, *, status: int = 301, location: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.location = location


class ReadsOnly(Retry):
    """The retry policy of a whole PyGithub client.

    PyGithub's own policy repeats a POST that was answered with a 502 and so writes twice, and it sleeps through rate
    limits inside the worker. PyGithub follows a 301 without the query, so that a filtered list of a renamed repository
    becomes all its issues, and takes a 307 on a write for success.
    """

    @classmethod
    def policy(cls) -> Self:
        return cls(
            total=3,
            backoff_factor=0.25,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=READS,
            respect_retry_after_header=False,
            raise_on_status=False,
        )

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        return status_code in REDIRECTS or super().is_retry(method, status_code, has_retry_after)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if response is not None and response.status in REDIRECTS:
            response.drain_conn()
            location = response.headers.get("location", "")
            raise Redirected(
                f"Could not {method} {(url or '').partition('?')[0]}: the forge redirects to "
                f"{location} ({response.status}); the repository was renamed or moved, "
                "or ENTROPY_GITHUB__API is not the address of the API. Write the present name in the settings.",
                status=response.status,
                location=location,
            )
        policy = self if method in READS else self.new(total=0, read=False)
        return Retry.increment(policy, method, url, response, error, _pool, _stacktrace)
