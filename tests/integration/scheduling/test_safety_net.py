"""The search for what was missed: what is asked, and what of the answer is believed."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from entropy.models import WorkItem
from entropy.scheduling.safety_net import find_missed
from entropy.settings import Settings
from entropy.wiring import Toolbox
from tests.integration.github.scripted import Answer, Asked, Scripted, scripted


def test_changes_of_our_repositories_are_looked_at_once_and_those_of_others_never(
    tmp_path: Path, redis_url: str
) -> None:
    with scripted(_found) as server:
        tools = _tools(server, tmp_path, redis_url, repositories=["acme/a", "acme/b"])
        find_missed(tools)
        assert _looked(tools) == ["acme/a#3", "acme/b#4"]
        tools.rounds.again("net")
        find_missed(tools)
        assert _looked(tools) == []
        asked = [parse_qs(urlsplit(each.path).query) for each in server.asked if each.path.startswith("/search")]
        assert [query["q"][0].partition(" updated:>=")[0] for query in asked] == [
            "user:acme is:issue",
            "user:acme is:pull-request",
        ] * 2
        assert all(query["sort"] == ["updated"] for query in asked)
        _close(tools)


def test_it_is_asked_once_in_its_time_and_only_where_batches_show_less_than_everything(
    tmp_path: Path, redis_url: str
) -> None:
    with scripted(_found) as server:
        tools = _tools(server, tmp_path, redis_url, repositories=["acme/a", "acme/b"])
        find_missed(tools)
        before = len(server.asked)
        find_missed(tools)
        assert len(server.asked) == before
        few = _tools(server, tmp_path, redis_url, repositories=["acme/a"])
        few.rounds.again("net")
        find_missed(few)
        assert len(server.asked) == before
        _close(tools)
        _close(few)


def _tools(server: Scripted, folder: Path, redis_url: str, *, repositories: list[str]) -> Toolbox:
    (folder / "scheduler_github_token").touch(mode=0o600)
    (folder / "scheduler_github_token").write_text("token-of-nobody")
    told: dict[str, Any] = {
        "redis": {"url": redis_url},
        "github": {"api": server.api, "repositories": repositories},
        "secrets": {"directory": folder},
        "scheduling": {"watched": 1},
    }
    tools = Toolbox(Settings.model_validate(told))
    tools.rounds.serve(repositories)
    return tools


def _found(asked: Asked) -> Answer:
    if not asked.path.startswith("/search/issues"):
        return Answer(200, {"login": "entropy-scheduler", "id": 1})
    pulls = "pull-request" in asked.path
    items = [_row("acme/b", 4)] if pulls else [_row("acme/a", 3), _row("acme/public-and-not-ours", 5)]
    body = {"total_count": len(items), "incomplete_results": False, "search_type": "lexical", "items": items}
    return Answer(200, body)


def _row(repository: str, number: int) -> dict[str, Any]:
    url = f"https://api.example.org/repos/{repository}"
    return {"number": number, "repository_url": url, "updated_at": "2026-11-22T20:00:00Z"}


def _looked(tools: Toolbox) -> list[str]:
    found: list[WorkItem] = []
    while (due := tools.looks.take()) is not None:
        tools.looks.done(due)
        found.append(due.item)
    return sorted(map(str, found))


def _close(tools: Toolbox) -> None:
    tools.github("scheduler").close()
    tools.connection.close()
