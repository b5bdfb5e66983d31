"""The forge's pages show reactions and which remarks are settled."""

from collections.abc import Callable

import requests

from tests.integration.forge.judged import HOME, NAME, Judged


def page(judged: Judged, path: str) -> str:
    answer = requests.get(f"{judged.server.url}/{NAME}{path}", timeout=30)
    assert answer.status_code == 200
    return answer.text


def test_reactions_stand_below_what_they_are_to(judged: Judged) -> None:
    judged.ask("read", "POST", f"{HOME}/issues", {"title": "A bug", "body": "Broken."})
    assert "👀" not in page(judged, "/issues/1")
    comment = judged.ask("read", "POST", f"{HOME}/issues/1/comments", {"body": "/entropy plan"})["id"]
    for person in ("write", "admin"):
        judged.ask(person, "POST", f"{HOME}/issues/comments/{comment}/reactions", {"content": "eyes"})
    judged.ask("write", "POST", f"{HOME}/issues/1/reactions", {"content": "+1"})
    shown = page(judged, "/issues/1")
    assert shown.index("👍") < shown.index("/entropy plan") < shown.index("👀")
    assert ">eyes</span> 2<" in shown


def test_a_settled_thread_says_so(judged: Judged, change: Callable[..., str]) -> None:
    change("topic")
    judged.ask("write", "POST", f"{HOME}/pulls", {"title": "T", "head": "topic", "base": "main"})
    remark = {"path": "engine.py", "line": 2, "side": "RIGHT", "body": "Why?"}
    judged.ask("admin", "POST", f"{HOME}/pulls/1/reviews", {"event": "COMMENT", "comments": [remark]})
    assert "resolved" not in page(judged, "/pull/1")
    with judged.server.store.write() as db:
        db.execute("INSERT INTO resolutions (comment_id, user_id) SELECT id, user_id FROM review_comments")
    assert '<span class="badge">resolved</span>' in page(judged, "/pull/1")
