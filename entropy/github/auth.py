"""How a role shows the forge who it is."""

from github.Auth import Auth, Token

from entropy.models import Secret


def authentication(token: Secret) -> Auth:
    """A personal access token; PyGithub masks it in its own debug log."""
    return Token(token.reveal())
