"""Which backend a setting names."""

from collections.abc import Callable

from entropy.errors import ConfigurationError
from entropy.sandbox.backends.bubblewrap import BubblewrapBackend
from entropy.sandbox.backends.docker import DockerBackend
from entropy.sandbox.interface import Backend
from entropy.settings import SandboxSettings

BACKENDS: dict[str, Callable[[SandboxSettings], Backend]] = {
    "bubblewrap": BubblewrapBackend,
    "docker": DockerBackend,
}


def make_backend(settings: SandboxSettings) -> Backend:
    """The backend that `settings` name; raises `ConfigurationError` where there is none."""
    if settings.backend not in BACKENDS:
        raise ConfigurationError(
            "This worker is not a sandbox worker; set ENTROPY_SANDBOX__BACKEND to docker or bubblewrap,"
            " or let it serve control queues only."
        )
    return BACKENDS[settings.backend](settings)
