"""Every endpoint below a repository asks apps for a permission that GitHub asks for, and none is forgotten."""

import pytest

from entropy.forge.app import TABLES
from entropy.forge.limits import bucket_of, generates
from entropy.forge.scopes import HOME, actor_of, scope_of

ADMINISTERED = ("/transfer", "/protection", "/collaborators", "/rulesets", "/installation")


def test_no_endpoint_falls_through_the_rules() -> None:
    """What no rule knows asks for administration, which only these do on purpose."""
    endpoints = [entry for table in TABLES for entry in table if entry.path.startswith(HOME) and entry.path != HOME]
    fallen = {
        entry.path
        for entry in endpoints
        if "administration" in entry.scope.names and not any(part in entry.path for part in ADMINISTERED)
    }
    assert fallen == set()
    assert len(endpoints) > 60


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("GET", "", "metadata=read"),
        ("PATCH", "", "administration=write"),
        ("POST", "/issues", "issues=write"),
        ("POST", "/issues/{number}/comments", "issues=write; pull_requests=write"),
        ("GET", "/pulls/{number}/merge", "pull_requests=read"),
        ("PUT", "/pulls/{number}/merge", "contents=write"),
        ("GET", "/commits/{ref:path}", "contents=read"),
        ("GET", "/commits/{ref:path}/status", "statuses=read"),
        ("GET", "/commits/{ref:path}/check-suites", "checks=read"),
        ("GET", "/branches/{branch}/protection", "administration=read"),
        ("POST", "/hooks/{hook}/pings", "repository_hooks=write"),
        ("GET", "/something/new", "administration=read"),
    ],
)
def test_paths_and_their_permissions(method: str, path: str, told: str) -> None:
    assert scope_of(method, HOME + path).told == told


def test_who_may_call() -> None:
    paths = ("/app", "/app/hook/config", "/apps/{slug}", f"{HOME}/installation", "/installation/token", "/user")
    assert [actor_of(path) for path in paths] == ["app", "app", "anyone", "app", "installation", "person"]


def test_what_is_charged_where_and_what_is_content() -> None:
    assert [bucket_of(path) for path in ("/search/issues", "/graphql", "/rate_limit", HOME)] == [
        "search", "graphql", None, "core",
    ]  # fmt: skip
    content = ("/issues", "/pulls", "/issues/{number}/comments", "/pulls/{number}/reviews/{review}/events")
    assert all(generates("POST", HOME + path) for path in content)
    assert not any(generates("POST", HOME + path) for path in ("/labels", "/issues/{number}/labels", "/git/refs"))
    assert not any(generates("GET", HOME + path) for path in content)
