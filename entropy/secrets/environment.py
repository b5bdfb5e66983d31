"""Secrets in environment variables, for a first try on a laptop: every child process can read them."""

from entropy.errors import SecretNotFound
from entropy.models import Secret
from entropy.secrets.provider import checked
from entropy.settings import SECRET_PREFIX, secret_variable


class EnvironmentSecrets:
    """``ENTROPY_SECRET_<ROLE>_<NAME>``, with ``_`` for ``-``."""

    def get(self, role: str, name: str) -> Secret:
        role, name = checked(role, name)
        value = secret_variable(role, name)
        if not value:
            variable = f"{SECRET_PREFIX}{role}_{name}".upper().replace("-", "_")
            raise SecretNotFound(f"There is no secret {variable} in the environment; export it.")
        return Secret(value)
