"""Which backend a setting names."""

import pkgutil
from collections.abc import Callable

from entropy.errors import ConfigurationError
from entropy.sandbox.backends.bubblewrap import BubblewrapBackend
from entropy.sandbox.backends.docker import DockerBackend
from entropy.sandbox.caches import Caches
from entropy.sandbox.egress.outlet import Egress, no_keys
from entropy.sandbox.egress.proxy import Keys
from entropy.sandbox.interface import Backend
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxSettings

BACKENDS: dict[str, Callable[[SandboxSettings, Egress], Backend]] = {
    "bubblewrap": BubblewrapBackend,
    "docker": DockerBackend,
}
OPTIONAL = {
    "ecs": "entropy.sandbox.backends.ecs:EcsBackend",
    "kubernetes": "entropy.sandbox.backends.kubernetes:KubernetesBackend",
}
"""Backends whose packages need not be installed: each is an extra of that name."""


def make_backend(settings: SandboxSettings, keys: Keys = no_keys) -> Backend:
    """The backend that `settings` name; `ConfigurationError` where there is none, or bounds that cannot hold."""
    if settings.backend == "none":
        raise ConfigurationError(
            "This worker is not a sandbox worker; set ENTROPY_SANDBOX__BACKEND to docker, kubernetes, ecs or"
            " bubblewrap, or let it serve control queues only."
        )
    for role in settings.roles:
        SandboxPolicy.of(settings, role)
    return _backend(settings.backend)(settings, Egress(settings.egress, keys=keys))


def caches_of(backend: Backend) -> Caches | None:
    """The dependency caches of a backend that keeps some."""
    return backend.caches if isinstance(backend, DockerBackend | BubblewrapBackend) else None


def _backend(name: str) -> Callable[[SandboxSettings, Egress], Backend]:
    if name in BACKENDS:
        return BACKENDS[name]
    try:
        found: Callable[[SandboxSettings, Egress], Backend] = pkgutil.resolve_name(OPTIONAL[name])
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The {name} sandbox needs the package {error.name}; install entropy-agents[{name}]."
        ) from error
    return found
