"""Which backend a setting names."""

from collections.abc import Callable

from entropy.errors import ConfigurationError
from entropy.sandbox.backends.bubblewrap import BubblewrapBackend
from entropy.sandbox.backends.docker import DockerBackend
from entropy.sandbox.egress.outlet import Egress, no_keys
from entropy.sandbox.egress.proxy import Keys
from entropy.sandbox.interface import Backend
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxSettings

BACKENDS: dict[str, Callable[[SandboxSettings, Egress], Backend]] = {
    "bubblewrap": BubblewrapBackend,
    "docker": DockerBackend,
}


def make_backend(settings: SandboxSettings, keys: Keys = no_keys) -> Backend:
    """The backend that `settings` name; `ConfigurationError` where there is none, or bounds that cannot hold."""
    if settings.backend not in BACKENDS:
        raise ConfigurationError(
            "This worker is not a sandbox worker; set ENTROPY_SANDBOX__BACKEND to docker or bubblewrap,"
            " or let it serve control queues only."
        )
    for role in settings.roles:
        SandboxPolicy.of(settings, role)
    return BACKENDS[settings.backend](settings, Egress(settings.egress, keys=keys))
