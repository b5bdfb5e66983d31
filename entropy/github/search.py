"""Search: a second, slower way to learn of changes, for what the first one missed."""

from typing import Any

from entropy.github.connection import Connection

KINDS = ("issue", "pull-request")
"""A fine-grained token may search for one kind at a time."""
API = "/repos/"


class Search:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def changed(self, owner: str, *, since: str) -> dict[str, dict[str, str]]:
        """What changed since then in the owner's repositories: repository → number → time of the last change.

        At most a thousand of each kind, those that changed last; the index lags behind, and shows public repositories
        that are nobody's business here.
        """
        found: dict[str, dict[str, str]] = {}
        for kind in KINDS:
            # Without `search_type` the forge searches for words, not for meaning; it has no name for that.
            parameters = {"q": f"user:{owner} is:{kind} updated:>={since}", "sort": "updated", "order": "desc"}
            tried = f"search for changes in the repositories of {owner}"
            for row in self._connection.rows("/search/issues", parameters, tried=tried, within=owner):
                found.setdefault(_repository(row), {})[str(row["number"])] = row["updated_at"]
        return found


def _repository(row: dict[str, Any]) -> str:
    return str(row["repository_url"]).rpartition(API)[2]
