"""The way to a Docker daemon."""

import contextlib
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import docker

from entropy.errors import SandboxUnavailable
from entropy.sandbox.backends.containers import translated

OLDEST = "1.24"
"""Of the API, for a question that is the same in all."""


@contextlib.contextmanager
def connected(host: str) -> Iterator[Any]:
    """A client of the daemon at an address, closed afterwards."""
    scheme, _, path = host.partition("://")
    if scheme == "unix" and not Path(path).is_socket():  # docker-py would leave a socket open
        raise SandboxUnavailable(f"No Docker daemon listens at {host}; start one with ops/services/docker.")
    with translated(), contextlib.closing(docker.APIClient(base_url=host, version=OLDEST)) as caller:
        # Left to itself a client asks for the version in a way for which the daemon has to run programs.
        spoken = _ping(caller).get("Api-Version", "auto")
    with translated():
        client = docker.DockerClient(base_url=host, version=spoken)
    with contextlib.closing(client):
        yield client


def clock(client: Any) -> float:
    """The daemon's: workers on several machines may share one daemon, and their clocks differ. To the second."""
    with translated():
        return parsedate_to_datetime(_ping(client.api)["Date"]).timestamp()


def _ping(api: Any) -> Mapping[str, str]:
    answer = api.get(f"{api.base_url}/_ping", timeout=api.timeout)
    answer.raise_for_status()
    headers: Mapping[str, str] = answer.headers
    return headers
