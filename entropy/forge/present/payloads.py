"""What webhooks carry, by event."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from entropy.forge.comparisons import compare
from entropy.forge.gitrepo import GitRepository
from entropy.forge.outdated import line_now
from entropy.forge.present import checks as check_shapes
from entropy.forge.present import commits as commit_shapes
from entropy.forge.present import issues as issue_shapes
from entropy.forge.present import pulls as pull_shapes
from entropy.forge.present.apps import installation as installation_shape
from entropy.forge.present.apps import stand_in
from entropy.forge.present.pushes import push
from entropy.forge.present.repositories import full, label, minimal
from entropy.forge.present.view import View, node_id
from entropy.forge.records import apps, comments, issues, reviews, statuses, suites, threads, users

Payload = dict[str, Any]
Row = sqlite3.Row | Mapping[str, Any]
SILENT = {("pull_request", "merged"), ("pull_request", "review_dismissed")}
"""Events that timelines have and webhooks have not."""


@dataclass(frozen=True)
class Happened:
    row: sqlite3.Row
    detail: Mapping[str, Any]
    home: sqlite3.Row | None
    git: GitRepository | None

    @property
    def repository(self) -> sqlite3.Row:
        if self.home is None:
            raise LookupError(f"{self.row['event']} is about no repository.")
        return self.home

    @property
    def place(self) -> GitRepository:
        if self.git is None:
            raise LookupError(f"{self.row['event']} is about no repository.")
        return self.git


def payload(view: View, happened: Happened, installation: Row | None) -> Payload | None:
    """None for what webhooks don't tell, and for what is gone."""
    row = happened.row
    make = MAKERS.get(row["event"])
    if make is None or (row["event"], row["action"]) in SILENT:
        return None
    told = make(view, happened)
    if told is None:
        return None
    action = {"action": row["action"]} if row["action"] else {}
    return {**action, **surroundings(view, happened.home, row["user_id"], installation), **told}


def surroundings(view: View, home: sqlite3.Row | None, user_id: int, installation: Row | None) -> Payload:
    """What every webhook says: where, by whom, and through which installation."""
    told: Payload = {"sender": view.known_user(user_id)}
    if home:
        told["repository"] = {**full(view, home), "custom_properties": {}}
        owner = users.known(view.db, home["owner_id"])
        if owner["kind"] == "Organization":
            told["organization"] = _organization(view, owner)
    if installation:
        number = installation["id"]
        told["installation"] = {"id": number, "node_id": node_id("IntegrationInstallation", number)}
    return told


def _organization(view: View, owner: sqlite3.Row) -> Payload:
    url = view.api(f"/orgs/{owner['login']}")
    parts = ("repos", "events", "hooks", "issues")
    return {
        "login": owner["login"],
        "id": owner["id"],
        "node_id": node_id("Organization", owner["id"]),
        "url": url,
        **{f"{part}_url": f"{url}/{part}" for part in parts},
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": view.html(f"avatars/{owner['id']}"),
        "description": None,
    }


def _extras(view: View, happened: Happened) -> Payload:
    """What goes with some actions on items."""
    detail, told = happened.detail, {}
    if happened.row["action"] in {"labeled", "unlabeled"}:
        told["label"] = label(view, happened.repository, detail["label"])
    if "assignee" in detail:
        told["assignee"] = view.known_user(detail["assignee"])
    if "reviewer" in detail:
        told["requested_reviewer"] = view.known_user(detail["reviewer"])
    if happened.row["action"] == "edited":
        told["changes"] = detail["changes"]
    return told


def _issue(view: View, happened: Happened) -> Payload:
    row = issues.numbered(view.db, happened.row["issue_id"])
    return {"issue": _webhook_issue(view, row), **_extras(view, happened)}


def _webhook_issue(view: View, row: sqlite3.Row) -> Payload:
    """An item as an issue; only pull requests are drafts."""
    shape = issue_shapes.issue(view, row)
    if not row["is_pull"]:
        del shape["draft"]
    return shape


def _pull(view: View, happened: Happened) -> Payload:
    row = issues.numbered(view.db, happened.row["issue_id"])
    told: Payload = {"number": row["number"], "pull_request": _measured(view, happened, row)}
    if happened.row["action"] == "synchronize":
        told |= {"before": happened.detail["before"], "after": happened.detail["after"]}
    if happened.row["action"] == "dequeued":
        told["reason"] = happened.detail["reason"]
    return {**told, **_extras(view, happened)}


def _measured(view: View, happened: Happened, row: sqlite3.Row) -> Payload:
    found = compare(happened.place, row["base_sha"], row["head_sha"])
    measures = pull_shapes.Measures(
        mergeable=None,
        commits=found.ahead,
        additions=sum(file.additions for file in found.files),
        deletions=sum(file.deletions for file in found.files),
        changed_files=len(found.files),
        behind=found.behind > 0,
    )
    return pull_shapes.pull(view, row, measures)


def _comment(view: View, happened: Happened) -> Payload | None:
    gone = happened.detail.get("gone")
    row = gone or comments.get(view.db, happened.repository["id"], happened.row["subject_id"])
    if row is None:
        return None
    item = issues.numbered(view.db, happened.row["issue_id"])
    told = {"issue": _webhook_issue(view, item), "comment": issue_shapes.comment(view, happened.repository, row)}
    return {**told, **_changes(happened)}


def _changes(happened: Happened) -> Payload:
    return {"changes": happened.detail["changes"]} if happened.row["action"] == "edited" else {}


def _simple_pull(view: View, happened: Happened) -> Payload:
    return pull_shapes.simple(view, issues.numbered(view.db, happened.row["issue_id"]))


def _review(view: View, happened: Happened) -> Payload | None:
    pull = issues.numbered(view.db, happened.row["issue_id"])
    row = reviews.get(view.db, pull["id"], happened.row["subject_id"])
    if row is None:
        return None
    shape = pull_shapes.review(view, pull, row)
    told = {**shape, "state": row["state"].lower(), "updated_at": row["submitted"]}
    return {"review": told, "pull_request": _simple_pull(view, happened)}


def _remark(view: View, happened: Happened) -> Payload | None:
    gone = happened.detail.get("gone")
    row = gone or reviews.get_comment(view.db, happened.repository["id"], happened.row["subject_id"])
    if row is None:
        return None
    told = {"comment": pull_shapes.review_comment(view, happened.repository, row)}
    return {**told, "pull_request": _simple_pull(view, happened), **_changes(happened)}


def _thread(view: View, happened: Happened) -> Payload | None:
    first = threads.get(view.db, happened.row["subject_id"])
    if first is None:
        return None
    pull = issues.numbered(view.db, happened.row["issue_id"])
    home = happened.repository
    said = [reviews.get_comment(view.db, home["id"], row["id"]) for row in threads.comments(view.db, first["id"])]
    line = line_now(happened.place, pull, first)
    shown = [pull_shapes.review_comment(view, home, row) | {"line": line} for row in said if row]
    thread = {"node_id": node_id("PullRequestReviewThread", first["id"]), "comments": shown}
    return {"thread": thread, "pull_request": _simple_pull(view, happened), "updated_at": happened.row["created"]}


def _check_run(view: View, happened: Happened) -> Payload | None:
    row = statuses.get_run(view.db, happened.repository["id"], happened.row["subject_id"])
    if row is None:
        return None
    shape = check_shapes.check_run(view, happened.repository, row)
    shape["external_id"] = row["external_id"] or ""
    suite = suites.of_author(view.db, (happened.repository["id"], row["sha"]), row["user_id"])
    shape["check_suite"] = _suite_shape(view, happened, suite)
    return {"check_run": shape}


def _suite_shape(view: View, happened: Happened, row: sqlite3.Row) -> Payload:
    commit = happened.place.log(row["sha"], limit=1)[0]
    shape = check_shapes.check_suite(view, happened.repository, row, commit)
    author = shape["app"] or stand_in(view, users.known(view.db, row["user_id"]))
    return {**shape, "app": author, "repository": minimal(view, happened.repository)}


def _check_suite(view: View, happened: Happened) -> Payload | None:
    row = suites.get(view.db, happened.repository["id"], happened.row["subject_id"])
    return {"check_suite": _suite_shape(view, happened, row)} if row else None


def _status(view: View, happened: Happened) -> Payload | None:
    home = happened.repository
    row = statuses.get(view.db, home["id"], happened.row["subject_id"])
    if row is None:
        return None
    commit = happened.place.log(row["sha"], limit=1)[0]
    heads = [(name, sha) for name, sha in happened.place.refs("refs/heads/") if sha == row["sha"]]
    branches = [commit_shapes.short_branch(view, home, name.removeprefix("refs/heads/"), sha) for name, sha in heads]
    copied = ("id", "sha", "state", "description", "target_url", "context")
    return {
        **{name: row[name] for name in copied},
        "name": home["full_name"],
        "commit": commit_shapes.commit(view, home, commit),
        "branches": branches,
        "avatar_url": view.html(f"avatars/{row['user_id']}"),
        "created_at": row["created"],
        "updated_at": row["created"],
    }


def _push(view: View, happened: Happened) -> Payload:
    return push(view, happened.repository, happened.place, (happened.detail, happened.row["user_id"]))


def _label(view: View, happened: Happened) -> Payload:
    return {"label": label(view, happened.repository, happened.detail["label"]), **_changes(happened)}


def _installation(view: View, happened: Happened) -> Payload | None:
    """An installation may be gone, and its app with it."""
    detail, made = happened.detail, apps.numbered(view.db, happened.detail["app"])
    if made is None:
        return None
    told: Payload = {"installation": installation_shape(view, made, detail["row"]), "requester": None}
    if happened.row["event"] == "installation":
        return {**told, "repositories": [_brief(view, number) for number in detail.get("repositories") or ()]}
    listed = {
        f"repositories_{word}": [_brief(view, number) for number in detail[word]] for word in ("added", "removed")
    }
    return {**told, **listed, "repository_selection": told["installation"]["repository_selection"]}


def _brief(view: View, number: int) -> Payload:
    row = view.home(number)
    told = {name: row[name] for name in ("id", "name", "full_name")}
    return {**told, "node_id": node_id("Repository", row["id"]), "private": bool(row["private"])}


def _sub_issues(view: View, happened: Happened) -> Payload:
    pair = {"parent_issue": happened.detail["parent"], "sub_issue": happened.detail["child"]}
    return _pair(view, pair)


def _dependencies(view: View, happened: Happened) -> Payload:
    pair = {"blocked_issue": happened.detail["blocked"], "blocking_issue": happened.detail["blocker"]}
    return _pair(view, pair)


def _pair(view: View, pair: Mapping[str, int]) -> Payload:
    """Two issues, and the repository of each."""
    told: Payload = {}
    for name, number in pair.items():
        row = issues.numbered(view.db, number)
        told |= {f"{name}_id": number, name: _webhook_issue(view, row)}
        told[f"{name}_repo"] = full(view, view.home(row["repository_id"]))
    return told


MAKERS: Mapping[str, Callable[[View, Happened], Payload | None]] = {
    "issues": _issue,
    "pull_request": _pull,
    "issue_comment": _comment,
    "pull_request_review": _review,
    "pull_request_review_comment": _remark,
    "pull_request_review_thread": _thread,
    "check_run": _check_run,
    "check_suite": _check_suite,
    "status": _status,
    "push": _push,
    "label": _label,
    "installation": _installation,
    "installation_repositories": _installation,
    "sub_issues": _sub_issues,
    "issue_dependencies": _dependencies,
}
