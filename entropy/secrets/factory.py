"""From settings to the provider they name."""

from entropy.secrets.environment import EnvironmentSecrets
from entropy.secrets.files import FileSecrets
from entropy.secrets.provider import SecretProvider
from entropy.secrets.vault import VaultSecrets
from entropy.settings import SecretSettings


def make_provider(settings: SecretSettings) -> SecretProvider:
    """The one provider; there is no falling back from one to another."""
    match settings.provider:
        case "vault":
            return VaultSecrets(settings.vault)
        case "environment":
            return EnvironmentSecrets()
        case "files":
            return FileSecrets(settings.directory)
