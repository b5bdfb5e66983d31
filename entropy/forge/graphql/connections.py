"""Lists in GraphQL: a page of nodes, how many there are, and where the next page begins."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

from entropy.forge.graphql.execution import Arguments, Known, Refused

MOST = 100


def window(arguments: Arguments) -> tuple[int, int]:
    """How many, and from where on."""
    first = arguments.get("first")
    if first is None and arguments.get("last") is None:
        raise Refused(
            "You must provide a `first` or `last` value to properly paginate the connection.",
            "MISSING_PAGINATION_BOUNDARIES",
        )
    if first is not None and not 0 <= first <= MOST:
        raise Refused(
            f"Requesting {first} records exceeds the `first` limit of {MOST} records.", "EXCESSIVE_PAGINATION"
        )
    return (MOST if first is None else first), _offset(arguments.get("after"))


def _offset(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("cursor:"))
    except (binascii.Error, ValueError):
        raise Refused(f"`{cursor}` does not appear to be a valid cursor.", "INVALID_CURSOR_ARGUMENTS") from None


def page(kind: str, rows: Sequence[Any], total: int, start: int, show: Callable[[Any], Known]) -> Known:
    """`rows` are those of the page, `start` is how many came before them."""
    cursors = [base64.b64encode(f"cursor:{start + at + 1}".encode()).decode() for at in range(len(rows))]
    return {
        "__typename": f"{kind}Connection",
        "totalCount": total,
        "nodes": [show(row) for row in rows],
        "edges": [
            {"__typename": f"{kind}Edge", "cursor": cursor, "node": show(row)}
            for cursor, row in zip(cursors, rows, strict=True)
        ],
        "pageInfo": {
            "__typename": "PageInfo",
            "hasNextPage": start + len(rows) < total,
            "hasPreviousPage": start > 0,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def whole(kind: str, find: Callable[[], Sequence[Any]], show: Callable[[Any], Known]) -> Callable[[Arguments], Known]:
    """A connection over rows that are found all at once; the last ones where only ``last`` is given."""

    def connection(arguments: Arguments) -> Known:
        size, start = window(arguments)
        rows = find()
        if arguments.get("first") is None:
            start = max(0, len(rows) - arguments["last"])
        return page(kind, rows[start : start + size], len(rows), start, show)

    return connection
