"""Secrets in files, as container platforms mount them: ``<directory>/<role>_<name>``, like ``coder_github_token``."""

import os
from pathlib import Path

from entropy.errors import ConfigurationError, SecretNotFound, SecretsUnavailable
from entropy.models import Secret
from entropy.secrets.provider import checked

MOUNT = Path("/run/secrets")
"""Docker and Kubernetes mount here, with modes that they choose; only the container's own processes see it."""


class FileSecrets:
    """Reads at every call, so that a rotated secret is seen at once."""

    def __init__(self, directory: Path, *, mount: Path = MOUNT) -> None:
        self._directory = directory
        self._mount = mount

    def get(self, role: str, name: str) -> Secret:
        role, name = checked(role, name)
        return read_secret(self._directory / f"{role}_{name}".replace("-", "_"), mount=self._mount)


def read_secret(path: Path, *, mount: Path = MOUNT) -> Secret:
    """The file without its last line end; others may be able to read it only below `mount`."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077 and not path.is_relative_to(mount):
                raise ConfigurationError(f"{path} is open to other users; run: chmod 600 {path}")
            value = file.read().decode().rstrip("\r\n")
    except FileNotFoundError:
        raise SecretNotFound(f"There is no secret {path}; create it with mode 600.") from None
    except (PermissionError, IsADirectoryError, NotADirectoryError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as a secret ({type(error).__name__}); see the file.") from None
    except OSError as error:
        raise SecretsUnavailable(f"{path} cannot be read: {error.strerror}.") from None
    if not value:
        raise SecretNotFound(f"The secret {path} is empty; write the value into it.")
    return Secret(value)
