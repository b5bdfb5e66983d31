"""Review threads: remarks at a place of the diff, whether they are settled, and our answers to them."""

from datetime import datetime
from typing import Any

from entropy.github.connection import Connection, pull_path
from entropy.github.errors import Missing
from entropy.github.facts import GHOST
from entropy.github.markers import bears, marked
from entropy.items import Comment, ReviewThread
from entropy.models import WorkItem

REVIEW_THREADS = """
query ReviewThreads($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id
          isResolved
          path
          line
          comments(first: 50) { nodes { databaseId author { __typename login } body createdAt updatedAt } }
        }
      }
    }
  }
}
"""
RESOLVE_THREAD = """
mutation ResolveThread($threadId: ID!) {
  resolveReviewThread(input: {threadId: $threadId}) { thread { id isResolved } }
}
"""


class Threads:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, item: WorkItem) -> tuple[ReviewThread, ...]:
        """All threads of a pull request, settled or not."""
        owner, _, name = item.repository.partition("/")
        found: list[ReviewThread] = []
        after: str | None = None
        while True:
            variables = {"owner": owner, "name": name, "number": item.number, "after": after}
            tried = f"read the review threads of {item}"
            data = self._connection.graphql(REVIEW_THREADS, variables, name="ReviewThreads", tried=tried)
            pull = (data.get("repository") or {}).get("pullRequest")
            if pull is None:
                raise Missing(f"Could not {tried}: it is gone, or not shown to this role.")
            page = pull["reviewThreads"]
            found += [_thread(node) for node in page["nodes"] if node["comments"]["nodes"]]
            if not page["pageInfo"]["hasNextPage"]:
                return tuple(found)
            after = page["pageInfo"]["endCursor"]

    def answer(self, item: WorkItem, thread: ReviewThread, *, marker: str, body: str) -> None:
        """Reply once per marker; `thread` is as a look just now found it."""
        login = self._connection.login
        if any(comment.author == login and bears(marker, comment.body) for comment in thread.comments):
            return
        path = f"{pull_path(item)}/comments/{thread.first}/replies"
        self._connection.write(
            "POST", path, {"body": marked(marker, body)}, target=item, action="answer a review thread of"
        )

    def resolve(self, item: WorkItem, thread: ReviewThread) -> None:
        """Settle it; settling it twice is settling it once."""
        if not thread.resolved:
            tried = f"resolve a review thread of {item}"
            variables = {"threadId": thread.id}
            self._connection.graphql(
                RESOLVE_THREAD, variables, name="ResolveThread", tried=tried, within=item.repository
            )


def _thread(node: dict[str, Any]) -> ReviewThread:
    remarks = node["comments"]["nodes"]
    return ReviewThread(
        id=node["id"],
        path=node["path"],
        line=node["line"],
        resolved=node["isResolved"],
        first=remarks[0]["databaseId"],
        comments=tuple(_comment(remark) for remark in remarks),
    )


def _comment(remark: dict[str, Any]) -> Comment:
    author = remark["author"] or {"login": GHOST}
    bot = author.get("__typename") == "Bot"  # REST gives its login a suffix, GraphQL does not
    return Comment(
        id=remark["databaseId"],
        author=f"{author['login']}[bot]" if bot and not author["login"].endswith("[bot]") else author["login"],
        body=remark["body"],
        created=datetime.fromisoformat(remark["createdAt"]),
        updated=datetime.fromisoformat(remark["updatedAt"]),
    )
