"""What can go wrong, sorted by what the caller should do about it.

    EntropyError
    ├── TransientError            try again later
    │   ├── ForgeUnavailable
    │   ├── RateLimited           not before `retry_after` seconds
    │   ├── StateUnavailable
    │   ├── SecretsUnavailable
    │   └── SandboxUnavailable
    └── PermanentError            do not: somebody has to change something first
        ├── ConfigurationError
        ├── SecretNotFound
        ├── ForgeRefused
        │   └── ForgeConflict     the forge holds something else by now
        ├── PolicyViolation
        ├── IllegalStep
        │   └── StaleGeneration   a newer generation of this run exists
        ├── UnknownReference
        └── UnknownRole

The docstring of a class is its default message. Adapters translate foreign errors at their own door.
An agent that fails, a claim that is lost and a refused patch are outcomes, not errors.
"""


class EntropyError(Exception):
    """Something went wrong in Entropy."""

    def __init__(self, message: str | None = None) -> None:
        # Celery rebuilds an exception from its args in another process: they must be complete.
        super().__init__(message or (self.__doc__ or type(self).__name__).strip())


class TransientError(EntropyError):
    """Not now; the same call may succeed later."""


class ForgeUnavailable(TransientError):
    """The forge does not answer."""


class RateLimited(TransientError):
    """The forge asks us to wait."""

    def __init__(self, message: str | None = None, retry_after: float = 60.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type["RateLimited"], tuple[str, float]]:
        return type(self), (str(self), self.retry_after)


class StateUnavailable(TransientError):
    """Redis does not answer."""


class SecretsUnavailable(TransientError):
    """The secret provider does not answer."""


class SandboxUnavailable(TransientError):
    """No sandbox can be started right now."""


class PermanentError(EntropyError):
    """The same call will fail again until somebody changes something."""


class ConfigurationError(PermanentError):
    """A setting is missing or wrong."""


class SecretNotFound(PermanentError):
    """The secret provider has no such secret."""


class ForgeRefused(PermanentError):
    """The forge refused the request."""


class ForgeConflict(ForgeRefused):
    """The forge holds something else by now than what this write expected."""


class PolicyViolation(PermanentError):
    """The change breaks a rule and is not published."""


class IllegalStep(PermanentError):
    """This step is not legal in the state that was found."""


class StaleGeneration(IllegalStep):
    """A newer generation of this run exists; this one stops before it touches anything."""


class UnknownReference(PermanentError):
    """This is not a reference to an issue or a pull request."""


class UnknownRole(PermanentError):
    """No agent has this role."""
