"""The address of GraphQL: POST a document and its variables."""

import sqlite3
from datetime import UTC, datetime

from starlette.requests import Request

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.clock import FORMAT
from entropy.forge.dispatch import Dispatch
from entropy.forge.graphql.document import DocumentError, Operation, parse
from entropy.forge.graphql.execution import Arguments, Execution, Known, Refused, cost
from entropy.forge.graphql.mutations import Mutations, decoded
from entropy.forge.graphql.types import Types, node
from entropy.forge.records import repositories
from entropy.forge.refusals import Refusal, login_needed
from entropy.forge.store import Store

PATH = "/api/graphql"


def answer(call: Call) -> Reply:
    fields = call.body.fields
    variables = fields.get("variables") or {}
    if call.identity is None:
        raise login_needed()
    if not isinstance(fields.get("query"), str) or not isinstance(variables, dict):
        raise Refusal(400, "A query attribute must be specified and must be a string.")
    try:
        operation = parse(fields["query"], fields.get("operationName"))
    except DocumentError as error:
        return Reply(data={"errors": [{"message": str(error), "extensions": {"code": "parseError"}}]})
    execution = Execution({**operation.defaults, **variables})
    price = cost(operation.selections, execution.resolved)
    data = execution.run(operation.selections, _root(call, operation, price))
    if operation.kind == "mutation" and execution.errors:
        raise Undone(Reply(data={"data": data, "errors": execution.errors}, cost=price))
    told = {"errors": execution.errors} if execution.errors else {}
    return Reply(data={"data": data, **told}, cost=price)


class Undone(Exception):
    """A mutation was refused: nothing of it stays."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("refused")
        self.reply = reply


def _root(call: Call, operation: Operation, price: int) -> Known:
    types = Types(call)
    if operation.kind == "mutation" and call.identity:
        return Mutations(types, call.identity).fields()
    return {
        "__typename": "Query",
        "viewer": lambda _: types.actor(call.my_id),
        "repository": lambda given: types.repository(_named(types, given)),
        "node": lambda given: _node(types, given.get("id")),
        "nodes": lambda given: [_quiet(types, each) for each in given.get("ids") or ()],
        "rateLimit": lambda _: _rate_limit(call, price),
    }


def _named(types: Types, given: Arguments) -> sqlite3.Row:
    name = f"{given.get('owner')}/{given.get('name')}"
    home = repositories.named(types.db, name) or repositories.formerly(types.db, name)
    return types.visible(home, f"Could not resolve to a Repository with the name '{name}'.")


def _node(types: Types, given: object) -> Known:
    found = node(types, *decoded(given))
    if found is None:
        raise Refused(f"Could not resolve to a node with the global id of '{given}'", "NOT_FOUND")
    return found


def _quiet(types: Types, given: object) -> Known | None:
    """In a list, what cannot be found is null."""
    try:
        return node(types, *decoded(given))
    except Refused:
        return None


def _rate_limit(call: Call, price: int) -> Known:
    limits = call.store.limits
    state = limits.state(limits.ticket(call.db, call.identity, "graphql"))
    return {
        "__typename": "RateLimit",
        "cost": price,
        "limit": state["limit"],
        "remaining": max(0, state["remaining"] - (price - 1)),
        "used": min(state["limit"], state["used"] + price - 1),
        "nodeCount": 0,
        "resetAt": datetime.fromtimestamp(state["reset"], UTC).strftime(FORMAT),
    }


class Graph(Dispatch):
    """A query is a look although it is a POST; a mutation is a write that is undone where it is refused."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Endpoint("POST", "/graphql", answer))

    def answer(self, request: Request, raw: bytes) -> Reply:
        try:
            return super().answer(request, raw)
        except Undone as undone:
            return undone.reply

    def _write(self, request: Request, raw: bytes) -> Reply:
        if b"mutation" in raw:
            return super()._write(request, raw)
        with self.store.read() as db:
            return self.endpoint.handler(self._call(db, request, raw))
