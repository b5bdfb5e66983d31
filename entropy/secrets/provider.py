"""What a secret provider is, and what it may be asked for."""

import re
from typing import Protocol

from entropy.errors import SecretNotFound
from entropy.models import Secret

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


class SecretProvider(Protocol):
    """Holds the secrets of roles. A role is given its own and no other's."""

    def get(self, role: str, name: str) -> Secret:
        """The secret as it is now; keep it no longer than the work at hand.

        Raises `SecretNotFound` where there is none or this process may not have it, `SecretsUnavailable` when it is
        worth another try, and `ConfigurationError` when something has to be set up first.
        """


def checked(role: str, name: str) -> tuple[str, str]:
    """Both as they are, so that neither can lead a path or an address elsewhere."""
    for part in (role, name):
        if not _NAME.fullmatch(part):
            raise SecretNotFound(f"{part!r} cannot be part of a secret's name; use lower case letters, digits and -.")
    return role, name
