"""From a document to an answer: every field of the selection is looked up in what is known, and nothing else told."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from entropy.forge.graphql.document import Selection, Variable

Arguments = Mapping[str, Any]
Known = Mapping[str, Any]
"""An object: its fields by name, each a value or a function of the arguments; ``__typename`` says what it is."""
SHARED = {"Node": None, "Actor": None, "Assignable": None, "Labelable": None, "Lockable": None, "Closable": None}
"""Interfaces: a fragment on one fits every type here."""


class Refused(Exception):
    """One error of the answer; `kind` is GitHub's type of it."""

    def __init__(self, message: str, kind: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind


class Execution:
    def __init__(self, variables: Arguments) -> None:
        self._variables = variables
        self.errors: list[dict[str, Any]] = []

    def run(self, selections: Sequence[Selection], known: Known, path: tuple[str | int, ...] = ()) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for selection in selections:
            if selection.on is not None:
                if selection.on in {"", known["__typename"], *SHARED}:
                    found |= self.run(selection.selections, known, path)
            else:
                found[selection.alias] = self._field(selection, known, (*path, selection.alias))
        return found

    def _field(self, selection: Selection, known: Known, path: tuple[str | int, ...]) -> Any:
        try:
            if selection.name not in known:
                raise Refused(f"Field '{selection.name}' doesn't exist on type '{known['__typename']}'")
            value = known[selection.name]
            if callable(value):
                value = value(self.resolved(selection.arguments))
        except Refused as refusal:
            told: dict[str, Any] = {"message": refusal.message, "path": list(path)}
            self.errors.append({"type": refusal.kind, **told} if refusal.kind else told)
            return None
        return self._shown(selection, value, path)

    def _shown(self, selection: Selection, value: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, Mapping):
            return self.run(selection.selections, value, path)
        if isinstance(value, list):
            return [self._shown(selection, each, (*path, at)) for at, each in enumerate(value)]
        return value

    def resolved(self, value: Any) -> Any:
        """With variables replaced by what they stand for."""
        if isinstance(value, Variable):
            return self._variables.get(value.name)
        if isinstance(value, Mapping):
            return {name: self.resolved(each) for name, each in value.items()}
        return [self.resolved(each) for each in value] if isinstance(value, list) else value


def cost(selections: Sequence[Selection], resolved: Callable[[Any], Any]) -> int:
    """GitHub's price: the requests that all connections need for their parents, by the hundred, at least 1."""
    return max(1, round(_requests(selections, resolved, parents=1) / 100))


def _requests(selections: Sequence[Selection], resolved: Callable[[Any], Any], *, parents: int) -> int:
    needed = 0
    for selection in selections:
        arguments = resolved(selection.arguments)
        size = arguments.get("first") or arguments.get("last")
        many = len(arguments["ids"]) if isinstance(arguments.get("ids"), list) else 1
        if isinstance(size, int):
            needed += parents
            many = size
        needed += _requests(selection.selections, resolved, parents=parents * many)
    return needed
