"""What the forge says about repositories, accounts and labels."""

from typing import Any
from urllib.parse import urlsplit

from entropy.models import Identity, Noun


class RepositoryFacts(Noun):
    """A repository as the forge describes it; `name` is spelt as the forge spells it."""

    name: str
    default_branch: str
    clone_url: str


GHOST = "ghost"
"""GitHub's own name for the author of something whose account is gone."""


def login_of(user: dict[str, Any] | None) -> str:
    return str(user["login"]) if user else GHOST


def label_names(item: dict[str, Any]) -> tuple[str, ...]:
    # The description of the API allows plain strings next to label objects.
    return tuple(label if isinstance(label, str) else label["name"] for label in item["labels"])


def identity_of(user: dict[str, Any], *, api: str) -> Identity:
    """The account and its private commit address, which the forge links back to the account."""
    host = (urlsplit(api).hostname or "github.com").removeprefix("api.")
    email = f"{user['id']}+{user['login']}@users.noreply.{host}"
    return Identity(login=user["login"], name=user.get("name") or user["login"], email=email)


def repository_of(data: dict[str, Any]) -> RepositoryFacts:
    return RepositoryFacts(name=data["full_name"], default_branch=data["default_branch"], clone_url=data["clone_url"])
