"""What GraphQL knows of repositories, issues, pull requests and their threads."""

import sqlite3
from functools import cached_property
from typing import Any

from entropy.forge import tracking
from entropy.forge.call import Call
from entropy.forge.comparisons import compare
from entropy.forge.graphql.connections import page, whole, window
from entropy.forge.graphql.execution import Arguments, Known, Refused
from entropy.forge.identity import reach
from entropy.forge.outdated import line_now
from entropy.forge.permissions import Level, association
from entropy.forge.present.issues import html_url
from entropy.forge.present.view import node_id
from entropy.forge.records import activity, issues, locks, queue, repositories, reviews, statuses, threads, users
from entropy.forge.refusals import Refusal
from entropy.forge.scopes import Scope

_LOOKING = Scope(("issues", "pull_requests", "contents", "metadata"), write=False)
_STATES = {"OPEN": "open", "CLOSED": "closed"}
_ORDERS = {"UPDATED_AT": "updated", "CREATED_AT": "created", "COMMENTS": "comments"}


class Types:
    """Over one request: every object is shown as far as who asks may see it."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.db = call.db

    @cached_property
    def view(self) -> Any:
        return self.call.view

    # -- people ----------------------------------------------------------------------------------------------------

    def actor(self, user_id: int | None) -> Known | None:
        """GraphQL names a bot without its suffix."""
        row = users.numbered(self.db, user_id)
        if row is None:
            return None
        bot = row["login"].endswith("[bot]")
        return {
            "__typename": "Bot" if bot else row["kind"],
            "id": node_id("Bot" if bot else row["kind"], row["id"]),
            "databaseId": row["id"],
            "login": row["login"].removesuffix("[bot]"),
            "url": self.view.html(row["login"]),
            "name": row["name"],
        }

    # -- repositories ----------------------------------------------------------------------------------------------

    def may(self, home: sqlite3.Row, scope: Scope = _LOOKING, *, needs: Level = Level.READ) -> Level:
        try:
            return reach(self.db, home, self.call.identity, scope, needs=needs)
        except Refusal as refusal:
            raise Refused(refusal.message, "FORBIDDEN") from None

    def visible(self, home: sqlite3.Row | None, told: str) -> sqlite3.Row:
        if home is None or self.may(home) < Level.READ:
            raise Refused(told, "NOT_FOUND")
        return home

    def repository(self, home: sqlite3.Row) -> Known:
        return {
            "__typename": "Repository",
            "id": node_id("Repository", home["id"]),
            "databaseId": home["id"],
            "name": home["name"],
            "nameWithOwner": home["full_name"],
            "owner": lambda _: self.actor(home["owner_id"]),
            "isPrivate": bool(home["private"]),
            "isArchived": bool(home["archived"]),
            "isDisabled": False,
            "url": self.view.html(home["full_name"]),
            "createdAt": home["created"],
            "updatedAt": home["updated"],
            "pushedAt": home["updated"],
            "defaultBranchRef": lambda _: self._ref(home, home["default_branch"]),
            "ref": lambda arguments: self._ref(home, arguments["qualifiedName"].removeprefix("refs/heads/")),
            "issue": lambda arguments: self._item(home, arguments, pulls=False, word="an issue"),
            "pullRequest": lambda arguments: self._item(home, arguments, pulls=True, word="a pull request"),
            "issueOrPullRequest": lambda arguments: self._item(
                home, arguments, pulls=None, word="an issue or pull request"
            ),
            "issues": lambda arguments: self._items(home, arguments, pulls=False),
            "pullRequests": lambda arguments: self._items(home, arguments, pulls=True),
            "mergeQueue": lambda arguments: self.merge_queue(home, arguments.get("branch") or home["default_branch"]),
        }

    def _ref(self, home: sqlite3.Row, name: str) -> Known | None:
        sha = self.call.store.git(home).branch(name)
        target = {"__typename": "Commit", "oid": sha, "id": node_id("Commit", sha or "")}
        known = {"__typename": "Ref", "id": node_id("Ref", f"{home['id']}:{name}"), "name": name, "target": target}
        return known if sha else None

    def _item(self, home: sqlite3.Row, arguments: Arguments, *, pulls: bool | None, word: str) -> Known:
        row = issues.get(self.db, home["id"], arguments["number"])
        if row is None or pulls not in {None, bool(row["is_pull"])}:
            raise Refused(f"Could not resolve to {word} with the number of {arguments['number']}.", "NOT_FOUND")
        return self.item(row)

    def _items(self, home: sqlite3.Row, arguments: Arguments, *, pulls: bool) -> Known:
        size, start = window(arguments)
        wanted, order = arguments.get("states") or [], arguments.get("orderBy") or {}
        states = {_STATES.get(state, "closed") for state in ([wanted] if isinstance(wanted, str) else wanted)}
        since = (arguments.get("filterBy") or {}).get("since")
        labels = arguments.get("labels") or (arguments.get("filterBy") or {}).get("labels") or []
        found = issues.Filter(
            state=next(iter(states)) if len(states) == 1 else "all",
            pulls=pulls,
            any_label=[labels] if isinstance(labels, str) else labels,
            since=since,
            sort=_ORDERS.get(order.get("field", ""), "created"),
            ascending=order.get("direction", "ASC") == "ASC",
            limit=size,
            offset=start,
        )
        rows = issues.find(self.db, home["id"], found)
        total = rows[0]["total"] if rows else 0
        return page("PullRequest" if pulls else "Issue", rows, total, start, self.item)

    def merge_queue(self, home: sqlite3.Row, branch: str) -> Known | None:
        if queue.method(self.db, home["id"], branch) is None:
            return None
        entries = queue.entries(self.db, home["id"], branch)
        return {
            "__typename": "MergeQueue",
            "id": node_id("MergeQueue", f"{home['id']}:{branch}"),
            "entries": whole("MergeQueueEntry", lambda: entries, self.entry),
        }

    def entry(self, row: sqlite3.Row) -> Known:
        return {
            "__typename": "MergeQueueEntry",
            "id": node_id("MergeQueueEntry", row["id"]),
            "position": row["position"],
            "state": "QUEUED",
            "enqueuedAt": row["created"],
            "enqueuer": self.actor(row["user_id"]),
            "headCommit": {"__typename": "Commit", "oid": row["head_sha"]},
            "pullRequest": lambda _: self.item(issues.numbered(self.db, row["issue_id"])),
        }

    # -- items -----------------------------------------------------------------------------------------------------

    def item(self, row: sqlite3.Row) -> Known:
        home = self.view.home(row["repository_id"])
        kind = "PullRequest" if row["is_pull"] else "Issue"
        shared: dict[str, Any] = {
            "__typename": kind,
            "id": node_id(kind, row["id"]),
            "databaseId": row["id"],
            "fullDatabaseId": str(row["id"]),
            "number": row["number"],
            "title": row["title"],
            "body": row["body"] or "",
            "url": html_url(self.view, home, row),
            "state": "MERGED" if row["merged"] else row["state"].upper(),
            "closed": row["state"] == "closed",
            "author": lambda _: self.actor(row["user_id"]),
            "authorAssociation": lambda _: association(self.db, home, users.known(self.db, row["user_id"])),
            "createdAt": row["created"],
            "updatedAt": row["updated"],
            "closedAt": row["closed"],
            "lastEditedAt": lambda _: self._edit(row, "created"),
            "editor": lambda _: self.actor(self._edit(row, "user_id")),
            "userContentEdits": whole("UserContentEdit", lambda: activity.edits(self.db, row), self._content_edit),
            "locked": lambda _: locks.of(self.db, row["id"]) is not None,
            "activeLockReason": lambda _: _reason(locks.of(self.db, row["id"])),
            "labels": whole("Label", lambda: issues.labels(self.db, row["id"]), _label),
            "assignees": whole(
                "User", lambda: issues.assignees(self.db, row["id"]), lambda one: self.actor(one["id"]) or {}
            ),
            "repository": lambda _: self.repository(home),
        }
        if not row["is_pull"]:
            return {**shared, "stateReason": row["state_reason"].upper() if row["state_reason"] else None}
        return {**shared, **self._pull(home, row)}

    def _edit(self, row: sqlite3.Row, fact: str) -> Any:
        made = activity.edits(self.db, row)
        return made[0][fact] if made else None

    def _content_edit(self, row: sqlite3.Row) -> Known:
        return {"__typename": "UserContentEdit", "editedAt": row["created"], "editor": self.actor(row["user_id"])}

    def _queued(self, row: sqlite3.Row) -> Known | None:
        found = queue.entry(self.db, row["id"])
        return self.entry(found) if found else None

    def _pull(self, home: sqlite3.Row, row: sqlite3.Row) -> Known:
        git = self.call.store.git(home)
        return {
            "isDraft": bool(row["draft"]),
            "merged": bool(row["merged"]),
            "mergedAt": row["merged"],
            "headRefName": row["head_ref"],
            "baseRefName": row["base_ref"],
            "headRefOid": row["head_sha"],
            "baseRefOid": row["base_sha"],
            "isCrossRepository": False,
            "isInMergeQueue": lambda _: self._queued(row) is not None,
            "mergeQueueEntry": lambda _: self._queued(row),
            "mergeQueue": lambda _: self.merge_queue(home, row["base_ref"]),
            "mergeable": lambda _: self._mergeable(home, row),
            "reviewDecision": lambda _: _decision(self.db, row["id"]),
            "statusCheckRollup": lambda _: self._rollup(home, row["head_sha"]),
            "reviewThreads": whole(
                "PullRequestReviewThread",
                lambda: threads.find(self.db, row["id"]),
                lambda one: self.thread(one, row, line_now(git, row, one)),
            ),
        }

    def _mergeable(self, home: sqlite3.Row, row: sqlite3.Row) -> str:
        pull = tracking.current(self.call.store, self.db, home, row)
        found = compare(self.call.store.git(home), pull["base_sha"], pull["head_sha"])
        return "CONFLICTING" if found.tree is None else "MERGEABLE"

    def _rollup(self, home: sqlite3.Row, sha: str) -> Known | None:
        state = statuses.rollup(self.db, (home["id"], sha))
        return {"__typename": "StatusCheckRollup", "state": state} if state else None

    # -- threads ---------------------------------------------------------------------------------------------------

    def thread(self, row: sqlite3.Row, pull: sqlite3.Row, line: int | None) -> Known:
        said = threads.comments(self.db, row["id"])
        return {
            "__typename": "PullRequestReviewThread",
            "id": node_id("PullRequestReviewThread", row["id"]),
            "isResolved": row["resolved_by"] is not None,
            "isOutdated": line is None,
            "resolvedBy": self.actor(row["resolved_by"]),
            "path": row["path"],
            "line": line,
            "startLine": row["start_line"] if line is not None else None,
            "originalLine": row["line"],
            "diffSide": row["side"],
            "subjectType": "LINE",
            "comments": whole("PullRequestReviewComment", lambda: said, lambda one: self._remark(one, row["path"])),
            "pullRequest": lambda _: self.item(pull),
        }

    def _remark(self, row: sqlite3.Row, path: str) -> Known:
        return {
            "__typename": "PullRequestReviewComment",
            "id": node_id("PullRequestReviewComment", row["id"]),
            "databaseId": row["id"],
            "fullDatabaseId": str(row["id"]),
            "author": self.actor(row["user_id"]),
            "body": row["body"],
            "path": path,
            "createdAt": row["created"],
            "updatedAt": row["updated"],
            "diffHunk": row["hunk"],
        }


def _label(row: sqlite3.Row) -> Known:
    return {
        "__typename": "Label",
        "id": node_id("Label", row["id"]),
        "name": row["name"],
        "color": row["color"],
        "description": row["description"],
    }


def _reason(lock: sqlite3.Row | None) -> str | None:
    return lock["reason"].upper().replace(" ", "_").replace("-", "_") if lock and lock["reason"] else None


def _decision(db: sqlite3.Connection, pull_id: int) -> str | None:
    states = {row["state"] for row in reviews.verdicts(db, pull_id)}
    if "CHANGES_REQUESTED" in states:
        return "CHANGES_REQUESTED"
    return "APPROVED" if "APPROVED" in states else None


def node(types: Types, kind: str, number: int) -> Known | None:
    """What a node id stands for, where it may be seen; None for everything else."""
    match kind:
        case "Repository":
            home = repositories.alive(types.db, number)
        case "Issue" | "PullRequest":
            row = types.db.execute("SELECT * FROM items WHERE id = ?", (number,)).fetchone()
            home = repositories.alive(types.db, row["repository_id"]) if row else None
        case _:
            home = None
    if home is None or types.may(home) < Level.READ:
        return None
    return types.repository(home) if kind == "Repository" else types.item(row)
