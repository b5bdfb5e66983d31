"""A hundred repositories in one question: which open issues carry one of our labels, and when they last changed."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from entropy.github.connection import Connection
from entropy.github.settling import state

BATCH = 100
"""Repositories in one question. Without a list inside a list the forge charges one point for it."""
SHOWN = 10
"""Issues that one answer shows of a repository, those that changed last."""

ISSUES = (
    f"issues(first: {SHOWN}, labels: $labels, states: OPEN, orderBy: {{field: UPDATED_AT, direction: DESC}})"
    " { nodes { number updatedAt } }"
)


class Hits(NamedTuple):
    """What a question brought for one repository."""

    repository: str
    changes: dict[str, str]
    """Number → what tells two states of it apart."""
    more: bool
    """There may be further ones."""


class Sweep:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, repositories: Sequence[str], labels: Sequence[str]) -> tuple[Hits, ...]:
        """At most `BATCH` repositories of one owner; those that are not there, or not for us, are left out.

        The forge lists no pull requests among issues.
        """
        owner = repositories[0].partition("/")[0]
        tried = f"look at {len(repositories)} repositories of {owner}"
        data, clock = self._connection.graphql_at(
            document(repositories), {"labels": list(labels)}, name="Discover", tried=tried, within=owner
        )
        answers = ((name, data.get(f"r{place}")) for place, name in enumerate(repositories))
        return tuple(_hits(name, answer, clock) for name, answer in answers if answer is not None)


def document(repositories: Sequence[str]) -> str:
    aliases = "\n".join(
        f"  r{place}: repository(owner: {json.dumps(owner)}, name: {json.dumps(name)}) {{ {ISSUES} }}"
        for place, (owner, _, name) in enumerate(repository.partition("/") for repository in repositories)
    )
    return f"query Discover($labels: [String!]) {{\n{aliases}\n}}"


def _hits(repository: str, answer: dict[str, Any], clock: float) -> Hits:
    nodes = answer["issues"]["nodes"]
    changes = {str(node["number"]): state(node["updatedAt"], clock) for node in nodes}
    return Hits(repository, changes, more=len(nodes) >= SHOWN)
