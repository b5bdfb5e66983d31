"""What GraphQL changes: drafts, threads, the merge queue, and commits on branches."""

import base64
import binascii
import re
import sqlite3
from collections.abc import Callable, Mapping

from entropy.forge import tracking
from entropy.forge.graphql.execution import Arguments, Known, Refused
from entropy.forge.graphql.types import Types
from entropy.forge.identity import Caller
from entropy.forge.landing import signature
from entropy.forge.outdated import line_now
from entropy.forge.permissions import Level
from entropy.forge.present.repositories import api_url
from entropy.forge.present.view import node_id
from entropy.forge.queueing import Impossible, admit
from entropy.forge.records import issues, pulls, queue, repositories, threads, users
from entropy.forge.scopes import Scope
from entropy.forge.trees import Changes, ChangesError, commit_changes

_PULLS = Scope(("pull_requests",), write=True)
_CONTENTS = Scope(("contents",), write=True)
_NODE = re.compile(r"(\d{3}):(\D+)(\d+)")


def decoded(node: object) -> tuple[str, int]:
    """Kind and number of a node id."""
    try:
        match = _NODE.fullmatch(base64.b64decode(str(node), validate=True).decode())
    except (binascii.Error, ValueError):
        match = None
    if match is None:
        raise Refused(f"Could not resolve to a node with the global id of '{node}'.", "NOT_FOUND")
    return match[2], int(match[3])


class Mutations:
    """`fields` is the root type: each takes one argument, ``input``."""

    def __init__(self, types: Types, who: Caller) -> None:
        self._types = types
        self._db = types.db
        self._who = who
        self._me = int(who.user["id"])

    def fields(self) -> Known:
        known: dict[str, Callable[[Arguments], Known]] = {
            "markPullRequestReadyForReview": lambda given: self._set_draft(given, draft=False),
            "convertPullRequestToDraft": lambda given: self._set_draft(given, draft=True),
            "resolveReviewThread": lambda given: self._settle(given, resolved=True),
            "unresolveReviewThread": lambda given: self._settle(given, resolved=False),
            "enqueuePullRequest": self._enqueue,
            "dequeuePullRequest": self._dequeue,
            "createCommitOnBranch": self._commit,
        }
        return {"__typename": "Mutation", **{name: _with_input(name, act) for name, act in known.items()}}

    def _pull(self, node: object) -> sqlite3.Row:
        kind, number = decoded(node)
        row = self._db.execute("SELECT * FROM items WHERE id = ? AND is_pull", (number,)).fetchone()
        if kind != "PullRequest" or row is None or self._types.may(self._home(row)) < Level.READ:
            raise Refused(f"Could not resolve to PullRequest node with the global id of '{node}'.", "NOT_FOUND")
        found: sqlite3.Row = tracking.current(self._types.call.store, self._db, self._home(row), row)
        return found

    def _home(self, pull: sqlite3.Row) -> sqlite3.Row:
        return repositories.numbered(self._db, pull["repository_id"])

    def _needs(self, home: sqlite3.Row, scope: Scope, what: str) -> None:
        if self._types.may(home, scope, needs=Level.WRITE) < Level.WRITE:
            raise Refused(
                f"{self._who.user['login']} does not have the correct permissions to execute `{what}`", "FORBIDDEN"
            )
        if home["archived"]:
            raise Refused("Repository was archived so is read-only.", "FORBIDDEN")

    def _set_draft(self, given: Arguments, *, draft: bool) -> Known:
        pull = self._pull(given.get("pullRequestId"))
        if pull["user_id"] != self._me:
            what = "ConvertPullRequestToDraft" if draft else "MarkPullRequestReadyForReview"
            self._needs(self._home(pull), _PULLS, what)
        if pull["state"] == "closed":
            raise Refused("Pull request is closed", "UNPROCESSABLE")
        pulls.set_draft(self._db, pull, self._me, draft=draft)
        return {"pullRequest": self._types.item(issues.numbered(self._db, pull["id"]))}

    def _settle(self, given: Arguments, *, resolved: bool) -> Known:
        kind, number = decoded(given.get("threadId"))
        thread = threads.get(self._db, number) if kind == "PullRequestReviewThread" else None
        if thread is None:
            raise Refused(f"Could not resolve to a node with the global id of '{given.get('threadId')}'.", "NOT_FOUND")
        pull = issues.numbered(self._db, thread["issue_id"])
        home = self._home(pull)
        self._types.visible(home, "Could not resolve to a node")
        if pull["user_id"] != self._me or self._who.grant:
            self._needs(home, _PULLS, "ResolveReviewThread" if resolved else "UnresolveReviewThread")
        (threads.resolve if resolved else threads.unresolve)(self._db, thread, self._me)
        changed = threads.get(self._db, number) or thread
        line = line_now(self._types.call.store.git(home), pull, changed)
        return {"thread": self._types.thread(changed, pull, line)}

    def _enqueue(self, given: Arguments) -> Known:
        pull = self._pull(given.get("pullRequestId"))
        home = self._home(pull)
        self._needs(home, _PULLS, "EnqueuePullRequest")
        try:
            admit(self._db, self._types.call.store.git(home), pull, self._me, expected=given.get("expectedHeadOid"))
        except Impossible as refusal:
            raise Refused(str(refusal), "UNPROCESSABLE") from None
        entry = queue.entry(self._db, pull["id"])
        return {"mergeQueueEntry": self._types.entry(entry) if entry else None}

    def _dequeue(self, given: Arguments) -> Known:
        pull = self._pull(given.get("id"))
        self._needs(self._home(pull), _PULLS, "DequeuePullRequest")
        entry = queue.entry(self._db, pull["id"])
        if entry is None:
            raise Refused("Pull request is not in the merge queue", "UNPROCESSABLE")
        told = self._types.entry(entry)
        queue.dequeue(self._db, pull, self._me, "DEQUEUED")
        return {"mergeQueueEntry": told}

    def _commit(self, given: Arguments) -> Known:
        place = given.get("branch") or {}
        named = repositories.named(self._db, str(place.get("repositoryNameWithOwner")))
        home = self._types.visible(named, "Could not resolve to a Repository.")
        self._needs(home, _CONTENTS, "CreateCommitOnBranch")
        branch = str(place.get("branchName") or "").removeprefix("refs/heads/")
        git, expected = self._types.call.store.git(home), str(given.get("expectedHeadOid"))
        tip = git.branch(branch)
        if tip is None:
            raise Refused(f"Branch {branch!r} could not be found.", "NOT_FOUND")
        if tip != expected:
            raise Refused(f'Expected branch to point to "{expected}" but it did not. Pull and try again.', "STALE_DATA")
        person = users.known(self._db, self._me)
        try:
            changes = Changes.of(given.get("fileChanges") or {}, given.get("message") or {})
            sha = commit_changes(git, tip, changes, author=signature(person))
        except ChangesError as error:
            raise Refused(str(error), "UNPROCESSABLE") from None
        if not git.update_ref(f"refs/heads/{branch}", new=sha, old=tip):
            raise Refused(f'Expected branch to point to "{expected}" but it did not. Pull and try again.', "STALE_DATA")
        self._db.execute("INSERT INTO signed_commits (sha) VALUES (?) ON CONFLICT DO NOTHING", (sha,))
        tracking.follow(self._db, home, git, user_id=self._me)
        return {"commit": self._made(home, sha), "ref": {"__typename": "Ref", "name": branch}}

    def _made(self, home: sqlite3.Row, sha: str) -> Known:
        view = self._types.view
        return {
            "__typename": "Commit",
            "id": node_id("Commit", sha),
            "oid": sha,
            "url": view.html(f"{home['full_name']}/commit/{sha}"),
            "commitUrl": f"{api_url(view, home)}/commits/{sha}",
            "signature": {"__typename": "GpgSignature", "isValid": True, "wasSignedByGitHub": True},
        }


def _with_input(name: str, act: Callable[[Arguments], Known]) -> Callable[[Arguments], Known]:
    def call(arguments: Arguments) -> Known:
        given = arguments.get("input")
        if not isinstance(given, Mapping):
            raise Refused(f"Field '{name}' is missing required arguments: input")
        mutation = given.get("clientMutationId")
        return {"__typename": f"{name[0].upper()}{name[1:]}Payload", "clientMutationId": mutation, **act(given)}

    return call
