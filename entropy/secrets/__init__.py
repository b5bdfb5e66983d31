"""Where secrets are read, at the moment of their use: files, a Vault, or the environment."""

from entropy.secrets.factory import make_provider
from entropy.secrets.provider import SecretProvider

__all__ = ["SecretProvider", "make_provider"]
