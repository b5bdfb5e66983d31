"""Repositories that were renamed, moved, archived or deleted: what is asked again, what is written, what is said."""

import pytest

from entropy.errors import ForgeRefused
from entropy.github import GitHub
from entropy.github.places import REMEMBERED, Places
from entropy.models import Secret, WorkItem
from entropy.settings import GitHubSettings
from tests.integration.github.scripted import Answer, Asked, Scripted, scripted

OLD, NEW = "/repos/acme/widgets", "/repos/acme/gadgets"
ITEM = WorkItem.parse("acme/widgets#7")
FACTS = {"id": 9, "full_name": "acme/gadgets", "default_branch": "main", "clone_url": "http://x/acme/gadgets.git"}


def client(server: Scripted) -> GitHub:
    return GitHub(GitHubSettings(api=server.api), Secret("t0ken"))


def renamed(asked: Asked) -> Answer:
    """acme/widgets is acme/gadgets now, and answers as GitHub does: 301 to reads, 307 to writes, without the query."""
    path = asked.path.partition("?")[0]
    if path == OLD or path.startswith(f"{OLD}/"):
        location = f"/api/v3/repositories/9{path.removeprefix(OLD)}"
        return Answer(301 if asked.method == "GET" else 307, {"message": "Moved"}, {"location": location})
    if path == "/user":
        return Answer(body={"id": 1, "login": "coder", "name": None})
    if path in {"/repositories/9", NEW}:
        return Answer(body=FACTS)
    if asked.method == "GET":
        return Answer(body=[])
    return Answer(201, {"id": 5} if path.endswith("/comments") else [])


def paths(server: Scripted, method: str) -> list[str]:
    return [asked.path for asked in server.asked if asked.method == method]


def test_a_list_of_a_renamed_repository_keeps_its_filter() -> None:
    with scripted(renamed) as server, client(server) as github:
        github.discovery.labelled("acme/widgets", ["entropy:code"])
    query = "?direction=asc&labels=entropy%3Acode&per_page=100&sort=created&state=open"
    assert paths(server, "GET") == [f"{OLD}/issues{query}", "/repositories/9", f"{NEW}/issues{query}"]


def test_a_comment_on_a_renamed_repository_is_written_once() -> None:
    with scripted(renamed) as server, client(server) as github:
        github.issues.ensure_comment(ITEM, marker="entropy:report", body="Done.")
    assert paths(server, "POST") == [f"{NEW}/issues/7/comments"]


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_first_write_after_a_rename_is_sent_once_to_the_present_address(status: int) -> None:
    def refusing(asked: Asked) -> Answer:
        answer = renamed(asked)
        return Answer(status, answer.body, answer.headers) if answer.status == 307 else answer

    with scripted(refusing) as server, client(server) as github:
        github.issues.relabel(ITEM, add=["entropy:review"])
        github.issues.relabel(ITEM, add=["entropy:review"])
    assert paths(server, "POST") == [f"{OLD}/issues/7/labels", *[f"{NEW}/issues/7/labels"] * 2]
    assert paths(server, "GET") == ["/repositories/9"]


@pytest.mark.parametrize("status", [302, 303])
def test_a_write_that_may_have_been_done_is_not_sent_again(status: int) -> None:
    moved = Answer(status, {}, {"location": "/api/v3/repositories/9/issues/7/labels"})
    with scripted(lambda asked: moved) as server, client(server) as github, pytest.raises(ForgeRefused, match="moved"):
        github.issues.relabel(ITEM, add=["entropy:review"])
    assert len(server.asked) == 1


def test_a_repository_whose_id_is_known_is_found_though_the_redirect_does_not_say_it() -> None:
    def vague(asked: Asked) -> Answer:
        answer = renamed(asked)
        if answer.status in {301, 307} and asked.path == OLD:
            return Answer(body={**FACTS, "full_name": "acme/widgets"})
        return Answer(answer.status, answer.body, {"location": "/elsewhere"} if answer.headers else {})

    with scripted(vague) as server, client(server) as github:
        github.repository("acme/widgets")
        github.issues.relabel(ITEM, add=["entropy:review"])
    assert paths(server, "POST") == [f"{OLD}/issues/7/labels", f"{NEW}/issues/7/labels"]


def test_a_repository_that_moved_out_of_sight_is_told_in_one_sentence() -> None:
    def gone(asked: Asked) -> Answer:
        return Answer(404, {"message": "Not Found"}) if "/repositories/" in asked.path else renamed(asked)

    told = r"^Could not add the label x to acme/widgets#7: acme/widgets was renamed, transferred or deleted, and"
    with scripted(gone) as server, client(server) as github, pytest.raises(ForgeRefused, match=told):
        github.issues.relabel(ITEM, add=["x"])
    assert len(server.asked) == 2


def test_a_repository_that_redirects_to_itself_is_not_asked_for_ever() -> None:
    def circle(asked: Asked) -> Answer:
        answer = renamed(asked)
        return Answer(body={**FACTS, "full_name": "acme/widgets"}) if asked.path == "/repositories/9" else answer

    with scripted(circle) as server, client(server) as github, pytest.raises(ForgeRefused, match="redirects"):
        github.repository("acme/widgets")
    assert len(server.asked) == 3


def test_an_archived_repository_is_told_in_one_sentence() -> None:
    archived = Answer(403, {"message": "Repository was archived so is read-only."})
    told = r"archived: unarchive it, or take it out of the work\.$"
    with (
        scripted(lambda asked: archived) as server,
        client(server) as github,
        pytest.raises(ForgeRefused, match=told),
    ):
        github.issues.relabel(ITEM, add=["x"])


def test_pull_requests_of_a_renamed_repository_are_still_ours() -> None:
    def listing(asked: Asked) -> Answer:
        side = {"ref": "b", "sha": "a" * 40, "repo": {"full_name": "acme/gadgets"}}
        rest = {"user": None, "state": "open", "draft": False, "merged_at": None, "node_id": "P"}
        if asked.path.startswith(f"{NEW}/pulls"):
            return Answer(body=[{"number": 3, "head": side, "base": side, **rest}])
        return renamed(asked)

    with scripted(listing) as server, client(server) as github:
        assert [pull.number for pull in github.pulls.find("acme/widgets", branch="b")] == [3]


def test_an_old_name_is_asked_for_again_after_a_while() -> None:
    now = [0.0]
    places = Places(clock=lambda: now[0])
    places.move("acme/widgets", "acme/gadgets")
    assert places.path("/repos/Acme/Widgets/issues") == "/repos/acme/gadgets/issues"
    now[0] = REMEMBERED + 1
    assert places.path("/repos/Acme/Widgets/issues") == "/repos/Acme/Widgets/issues"
