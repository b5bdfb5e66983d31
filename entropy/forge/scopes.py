"""Which permission of a GitHub App opens which endpoint, by the endpoint's path."""

import re
from dataclasses import dataclass
from typing import Literal

Actor = Literal["anyone", "person", "app", "installation"]
HOME = "/repos/{owner}/{repo}"
_ITEM = ("issues", "pull_requests")
_RULES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    # what follows the repository, for which methods, and the permissions of which one is enough
    (r"", "GET", ("metadata",)),
    (r"", "PATCH|DELETE", ("administration",)),
    (r"/transfer", "", ("administration",)),
    (r"/collaborators.*|/rules/.*", "GET", ("metadata",)),
    (r"/collaborators.*|/branches/.*/protection.*|/rulesets.*", "", ("administration",)),
    (r"/hooks.*", "", ("repository_hooks",)),
    (r"/issues", "", ("issues",)),
    (r"/(issues|labels|assignees|milestones)(/.*)?", "", _ITEM),
    (r"/pulls/\{number\}/merge", "PUT", ("contents",)),
    (r"/pulls(/.*)?", "", ("pull_requests",)),
    (r"/statuses/.*|/commits/\{.*\}/status(es)?", "", ("statuses",)),
    (r"/check-.*|/commits/\{.*\}/check-.*", "", ("checks",)),
    (r"/commits/\{.*\}/pulls", "", ("pull_requests",)),
    (r"/actions/.*", "", ("actions",)),
    (r"/(git|branches|commits|compare|contents|merges|tarball|zipball|tags|releases)(/.*)?", "", ("contents",)),
)
_UNKNOWN = ("administration",)


@dataclass(frozen=True)
class Scope:
    """One of these permissions is enough."""

    names: tuple[str, ...]
    write: bool

    @property
    def told(self) -> str:
        """As GitHub's header ``X-Accepted-GitHub-Permissions`` has it."""
        return "; ".join(f"{name}={'write' if self.write else 'read'}" for name in self.names)


def scope_of(method: str, path: str) -> Scope:
    """What a path below a repository asks for; one that no rule knows asks for the most."""
    rest = path.removeprefix(HOME)
    found = (
        names
        for pattern, methods, names in _RULES
        if re.fullmatch(pattern, rest) and (not methods or method in methods.split("|"))
    )
    return Scope(next(found, _UNKNOWN), write=method != "GET")


def actor_of(path: str) -> Actor:
    """Who alone may call a path: an app by its JWT, an installation by its token, a person, or anyone."""
    if path == "/app" or path.startswith("/app/") or path.endswith("/installation"):
        return "app"
    if path.startswith("/installation/"):
        return "installation"
    return "person" if path == "/user" or path.startswith("/user/") else "anyone"
