"""Reactions to issues, comments and review comments."""

from collections.abc import Callable

import pytest

from tests.integration.forge.judged import HOME, Judged


@pytest.fixture
def subjects(judged: Judged, change: Callable[..., str]) -> dict[str, str]:
    """An issue, a comment and a review comment, by their addresses."""
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug"})
    comment = judged.ask("read", "POST", f"{HOME}/issues/1/comments", {"body": "/entropy plan"})["id"]
    head = change("topic")
    judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main"})
    place = {"path": "engine.py", "line": 2, "side": "RIGHT", "commit_id": head, "body": "Why?"}
    remark = judged.ask("admin", "POST", f"{HOME}/pulls/2/comments", place)["id"]
    return {
        "issue": f"{HOME}/issues/1",
        "comment": f"{HOME}/issues/comments/{comment}",
        "remark": f"{HOME}/pulls/comments/{remark}",
    }


@pytest.mark.parametrize("kind", ["issue", "comment", "remark"])
def test_a_reaction_is_made_once_counted_and_taken_back(judged: Judged, subjects: dict[str, str], kind: str) -> None:
    path = f"{subjects[kind]}/reactions"
    made = judged.ask("write", "POST", path, {"content": "eyes"}, status=201)
    assert judged.ask("write", "POST", path, {"content": "eyes"}, status=200)["id"] == made["id"]
    judged.ask("read", "POST", path, {"content": "+1"}, status=201)
    found = [(row["content"], row["user"]["login"]) for row in judged.ask("read", "GET", path)]
    assert found == [("eyes", "write"), ("+1", "read")]
    assert [row["content"] for row in judged.ask("read", "GET", f"{path}?content=eyes")] == ["eyes"]
    rolled = judged.ask("read", "GET", subjects[kind])["reactions"]
    assert (rolled["total_count"], rolled["eyes"], rolled["+1"], rolled["heart"]) == (2, 1, 1, 0)
    judged.ask("read", "DELETE", f"{path}/{made['id']}", status=403)
    judged.ask("write", "DELETE", f"{path}/{made['id']}", status=204)
    assert judged.answer("write", "DELETE", f"{path}/{made['id']}").status_code == 404
    others = [other for other in subjects if other != kind]
    assert [judged.ask("read", "GET", f"{subjects[other]}/reactions") for other in others] == [[], []]


def test_only_known_reactions(judged: Judged, subjects: dict[str, str]) -> None:
    path = f"{judged.server.api}{subjects['issue']}/reactions"
    assert judged.answer("read", "POST", path.removeprefix(judged.server.api), {"content": "rocket"}).status_code == 201


def test_reactions_go_with_their_comment(judged: Judged, subjects: dict[str, str]) -> None:
    judged.ask("read", "POST", f"{subjects['comment']}/reactions", {"content": "eyes"})
    judged.ask("read", "DELETE", subjects["comment"])
    with judged.server.store.read() as db:
        assert db.execute("SELECT count(*) FROM reactions").fetchone()[0] == 0
