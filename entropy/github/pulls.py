"""Pull requests: reading, opening and merging them."""

from typing import Any

from entropy.errors import ForgeConflict, ForgeRefused
from entropy.github.checks import Checks
from entropy.github.connection import Connection, pull_path
from entropy.github.errors import Unprocessable
from entropy.github.facts import login_of
from entropy.github.markers import fit
from entropy.github.reviews import Reviews
from entropy.items import PullRequest
from entropy.models import WorkItem

MARK_READY = """
mutation MarkReady($pullRequestId: ID!) {
  markPullRequestReadyForReview(input: {pullRequestId: $pullRequestId}) { pullRequest { id isDraft } }
}
"""
ENQUEUE = """
mutation EnqueuePullRequest($pullRequestId: ID!, $expectedHeadOid: GitObjectID!) {
  enqueuePullRequest(input: {pullRequestId: $pullRequestId, expectedHeadOid: $expectedHeadOid}) {
    mergeQueueEntry { id }
  }
}
"""
QUEUED = ("already in the", "already queued", "already enqueued")
"""How the forge says that a pull request is in the queue."""


class Pulls:
    def __init__(self, connection: Connection, reviews: Reviews, checks: Checks) -> None:
        self._connection = connection
        self._reviews = reviews
        self._checks = checks

    def get(self, item: WorkItem) -> PullRequest:
        """The pull request with its reviews and the checks at its head."""
        pull = _pull(self._row(item))
        reviews = self._reviews.of(item)
        checks = self._checks.at(item.repository, pull.head_commit)
        return pull.model_copy(update={"reviews": reviews, "checks": checks})

    def find(self, repository: str, *, branch: str) -> tuple[PullRequest, ...]:
        """All pull requests, open or not, from a branch of the repository itself; without reviews and checks."""
        owner = self._connection.name(repository).partition("/")[0]
        parameters = {"state": "all", "head": f"{owner}:{branch}"}
        rows = self._connection.rows(
            f"/repos/{repository}/pulls", parameters, tried=f"look for pull requests of {branch} in {repository}"
        )
        # The forge ignores a `head` that it does not understand and then lists everything.
        present = self._connection.name(repository)
        return tuple(pull for pull in map(_pull, rows) if _is_from(pull, present, branch))

    def ensure(self, repository: str, *, branch: str, base: str, title: str, body: str, draft: bool = False) -> int:
        """The number of the branch's pull request, opened if there is none; one that exists is left as it is."""
        number = self._number(repository, branch, merged=False)
        if number is not None:
            return number
        return self._open(
            repository, branch, {"title": title, "head": branch, "base": base, "body": fit(body), "draft": draft}
        )

    def retitle(self, item: WorkItem, title: str) -> str:
        self._connection.write("PATCH", pull_path(item), {"title": title}, target=item, action="change the title of")
        return title

    def mark_ready(self, item: WorkItem, node: str) -> None:
        """Make a draft a pull request like any other; `node` is its name in GraphQL. Fine if it is one already."""
        tried = f"mark {item} as ready"
        self._connection.graphql(
            MARK_READY, {"pullRequestId": node}, name="MarkReady", tried=tried, within=item.repository
        )

    def enqueue(self, item: WorkItem, *, node: str, head: str) -> None:
        """Put exactly `head` into the branch's merge queue; fine if it is in there. ForgeConflict as with `merge`."""
        variables = {"pullRequestId": node, "expectedHeadOid": head}
        try:
            tried = f"put {item} into the merge queue"
            self._connection.graphql(ENQUEUE, variables, name="EnqueuePullRequest", tried=tried, within=item.repository)
        except ForgeRefused as refusal:
            if not any(sign in str(refusal).lower() for sign in QUEUED):
                raise ForgeConflict(str(refusal)) from refusal

    def merge(self, item: WorkItem, *, head: str, title: str, message: str) -> str:
        """Merge exactly `head`, give the merge commit; ForgeConflict when the forge holds or wants something else."""
        body = {"sha": head, "commit_title": title, "commit_message": message, "merge_method": "merge"}
        try:
            merged = self._connection.write("PUT", f"{pull_path(item)}/merge", body, target=item, action="merge")
        except ForgeConflict:
            row = self._row(item)
            if row["merged"] and row["head"]["sha"] == head:
                return str(row["merge_commit_sha"])
            raise
        return str(merged["sha"])

    def _open(self, repository: str, branch: str, pull: dict[str, Any]) -> int:
        path, target = f"/repos/{repository}/pulls", f"{repository}:{branch}"
        try:
            opened = self._connection.write("POST", path, pull, target=target, action="open a pull request of")
        except (Unprocessable, ForgeConflict) as refusal:
            if pull["draft"] and "draft pull requests are not" in str(refusal).lower():
                # Private repositories of some plans have none.
                return self._open(repository, branch, pull | {"draft": False})
            # Somebody was faster, or it is merged and there is nothing left to open one for.
            number = self._number(repository, branch, merged=True)
            if number is None:
                raise
            return number
        return int(opened["number"])

    def _number(self, repository: str, branch: str, *, merged: bool) -> int | None:
        pulls = self.find(repository, branch=branch)
        wanted = [pull.number for pull in pulls if pull.open] or [
            pull.number for pull in pulls if merged and pull.merged
        ]
        return max(wanted, default=None)

    def _row(self, item: WorkItem) -> dict[str, Any]:
        return self._connection.get(pull_path(item), tried=f"read {item}")


def _is_from(pull: PullRequest, repository: str, branch: str) -> bool:
    return pull.head_branch == branch and (pull.head_repository or "").lower() == repository.lower()


def _pull(row: dict[str, Any]) -> PullRequest:
    head, base = row["head"], row["base"]
    return PullRequest(
        number=row["number"],
        author=login_of(row["user"]),
        head_branch=head["ref"],
        head_commit=head["sha"],
        head_repository=head["repo"]["full_name"] if head["repo"] else None,
        base_branch=base["ref"],
        base_commit=base["sha"],
        open=row["state"] == "open",
        draft=bool(row.get("draft")),
        merged=row["merged_at"] is not None,
        mergeable=row.get("mergeable"),
        node=row["node_id"],
    )
