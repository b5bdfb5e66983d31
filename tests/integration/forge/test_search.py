"""The search over issues and pull requests: by qualifiers, over what the searcher may see, up to a thousand hits."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.integration.forge.judged import HOME, NAME, Judged


@pytest.fixture
def filled(judged: Judged, source: Path, change: Callable[..., str]) -> Judged:
    """Two issues and a pull request in one repository, an issue each in a second and in a private one."""
    store = judged.server.store
    store.import_repository(source, "acme/second")
    store.import_repository(source, "acme/secret", private=True)
    store.import_repository(source, "other/third")
    for name in ("acme/second", "acme/secret"):
        store.add_collaborator(name, "admin", "admin")
    judged.ask("triage", "POST", f"{HOME}/issues", {"title": "Engine stutters", "labels": ["code", "big one"]})
    judged.ask("triage", "POST", f"{HOME}/issues", {"title": "Engine explodes", "labels": ["code"]})
    judged.ask("write", "PATCH", f"{HOME}/issues/2", {"state": "closed"})
    change("topic")
    judged.ask("write", "POST", f"{HOME}/pulls", {"title": "Repair the engine", "head": "topic", "base": "main"})
    for name, person in (("acme/second", "admin"), ("acme/secret", "admin"), ("other/third", "read")):
        judged.ask(person, "POST", f"/repos/{name}/issues", {"title": f"In {name}", "labels": ["code"]})
    return judged


def found(judged: Judged, query: str, person: str = "read", **more: str) -> list[str]:
    answer = judged.ask(person, "GET", f"/search/issues?{urlencode({'q': query, **more})}")
    assert answer["total_count"] >= len(answer["items"])
    return [row["title"] for row in answer["items"]]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        (f"repo:{NAME} is:issue is:open", ["Engine stutters"]),
        (f"repo:{NAME} is:issue state:closed", ["Engine explodes"]),
        (f"repo:{NAME} is:pr", ["Repair the engine"]),
        (f'repo:{NAME} label:code label:"big one"', ["Engine stutters"]),
        (f"repo:{NAME} label:code -label:code", []),
        (f"repo:{NAME} explodes", ["Engine explodes"]),
        ("org:acme is:issue label:code is:open", ["In acme/second", "Engine stutters"]),
        ("user:other is:issue", ["In other/third"]),
        (f"repo:{NAME} repo:other/third is:issue is:open", ["In other/third", "Engine stutters"]),
        (f"repo:{NAME} author:write", ["Repair the engine"]),
        (f"repo:{NAME} is:issue is:open updated:>=2020-01-01", ["Engine stutters"]),
        (f"repo:{NAME} updated:<2020-01-01", []),
        (f"repo:{NAME} is:issue is:open updated:2020-01-01..*", ["Engine stutters"]),
    ],
)
def test_qualifiers(filled: Judged, query: str, titles: list[str]) -> None:
    assert sorted(found(filled, query)) == sorted(titles)


def test_the_private_is_found_by_its_own_people_only(filled: Judged) -> None:
    assert "In acme/secret" in found(filled, "org:acme is:issue", "admin")
    assert "In acme/secret" not in found(filled, "org:acme is:issue", "read")
    assert filled.answer("read", "GET", "/search/issues?q=repo:acme/secret").status_code == 422
    assert filled.answer("read", "GET", "/search/issues?q=updated:%3Enever").status_code == 422


def test_pages_end_at_a_thousand_hits(filled: Judged) -> None:
    assert found(filled, f"repo:{NAME} is:issue", sort="updated", order="asc", per_page="1") != []
    assert filled.answer("read", "GET", f"/search/issues?q=repo:{NAME}&per_page=100&page=11").status_code == 422


def test_searches_have_their_own_budget(filled: Judged) -> None:
    before = filled.ask("read", "GET", "/rate_limit")["resources"]
    found(filled, f"repo:{NAME}")
    after = filled.ask("read", "GET", "/rate_limit")["resources"]
    spent = {name: before[name]["remaining"] - after[name]["remaining"] for name in ("core", "search")}
    assert spent == {"core": 0, "search": 1}
