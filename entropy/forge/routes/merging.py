"""How a pull request is merged, and its branch brought up to its base."""

import sqlite3

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.landing import land, signature
from entropy.forge.names import is_sha
from entropy.forge.permissions import Level
from entropy.forge.protection import obstacles
from entropy.forge.records import pulls, queue
from entropy.forge.refusals import Refusal, not_found
from entropy.forge.routes.pulls import PULL, compared, current
from entropy.forge.tracking import follow

METHODS = ("merge", "squash")


def merged(call: Call) -> Reply:
    if not call.pull()["merged"]:
        raise not_found()
    return Reply(204)


def merge(call: Call) -> Reply:
    body = call.body.of("PullRequest")
    pull, method = current(call), body.choice("merge_method", (*METHODS, "rebase"), "merge")
    _refuse(pull, method, expected=body.text("sha"))
    found = compared(call, pull)
    if found.tree is None:
        raise Refusal(405, "Pull Request is not mergeable")
    _refuse_unready(call, pull, behind=found.behind > 0)
    commit = land(call.db, call.git, pull, (found.tree, method, _message(call, pull, method)), call.my_id)
    if commit is None:
        raise Refusal(409, "Base branch was modified. Review and try the merge again.")
    closes = pull["base_ref"] == call.repository["default_branch"]
    pulls.complete(call.db, pull, commit=commit, user_id=call.my_id, closes=closes)
    follow(call.db, call.repository, call.git, user_id=call.my_id)
    return Reply(data={"sha": commit, "merged": True, "message": "Pull Request successfully merged"})


def _refuse(pull: sqlite3.Row, method: str, *, expected: str | None) -> None:
    if pull["state"] == "closed":
        raise Refusal(405, "Pull Request is not mergeable")
    if pull["draft"]:
        raise Refusal(405, "Pull Request is still a draft")
    if method not in METHODS:
        raise Refusal(405, "Rebase merges are not allowed on this repository.")
    if expected and expected != pull["head_sha"]:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")


def _refuse_unready(call: Call, pull: sqlite3.Row, *, behind: bool) -> None:
    if queue.method(call.db, call.repository_id, pull["base_ref"]):
        raise Refusal(405, "Changes must be made through the merge queue")
    told = obstacles(call.db, pull, behind=behind)
    if told:
        raise Refusal(405, " ".join(told))


def _message(call: Call, pull: sqlite3.Row, method: str) -> str:
    body = call.body.of("PullRequest")
    label = f"{call.repository['owner']}/{pull['head_ref']}"
    plain = f"Merge pull request #{pull['number']} from {label}"
    title = body.text("commit_title") or (plain if method == "merge" else f"{pull['title']} (#{pull['number']})")
    text = body.text("commit_message")
    if text is None:
        text = pull["title"] if method == "merge" else (pull["body"] or "")
    return f"{title}\n\n{text}".strip() + "\n"


def update_branch(call: Call) -> Reply:
    pull, expected = current(call), call.body.of("PullRequest").text("expected_head_sha")
    found = compared(call, pull)
    if expected and (not is_sha(expected) or expected != pull["head_sha"]):
        raise Refusal(422, "expected head sha didn't match current head ref.")
    if pull["state"] == "closed" or found.tree is None or not found.behind:
        raise Refusal(422, "merge conflict between base and head" if found.behind else "There are no new commits.")
    message = f"Merge branch '{pull['base_ref']}' into {pull['head_ref']}\n"
    parents = (pull["head_sha"], pull["base_sha"])
    commit = call.git.commit_tree(found.tree, parents=parents, message=message, author=signature(call.me))
    if not call.git.update_ref(f"refs/heads/{pull['head_ref']}", new=commit, old=pull["head_sha"]):
        raise Refusal(422, "expected head sha didn't match current head ref.")
    follow(call.db, call.repository, call.git, user_id=call.my_id)
    url = call.view.api(f"/repos/{call.repository['full_name']}/pulls/{pull['number']}")
    return Reply(202, {"message": "Updating pull request branch.", "url": url})


TABLE = (
    Endpoint("GET", f"{PULL}/merge", merged),
    Endpoint("PUT", f"{PULL}/merge", merge, Level.WRITE),
    Endpoint("PUT", f"{PULL}/update-branch", update_branch, Level.WRITE),
)
