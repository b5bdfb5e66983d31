"""Where repositories are: the name in a path, and the present name of one that was renamed or moved."""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

REMEMBERED = 3600.0
"""Seconds after which an old name is asked for again: somebody may have made another repository of that name."""

_NAMED = re.compile(r"/repos/([^/?]+/[^/?]+)")
_NUMBERED = re.compile(r"/repositories/(\d+)(?=[/?]|$)")


def repository_in(path: str) -> str | None:
    """``owner/name``, where the path begins with it."""
    match = _NAMED.match(path)
    return match[1] if match else None


def number_in(address: str) -> int | None:
    """The id in an address by id, which is how the forge redirects."""
    match = _NUMBERED.search(address)
    return int(match[1]) if match else None


class Places:
    """What this process has learnt of ids and present names; another one learns it by one redirect of its own."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {}
        self._moved: dict[str, tuple[str, float]] = {}

    def learn(self, path: str, data: Any) -> None:
        """Take the repository's id from the answer to a question for the repository itself."""
        name = repository_in(path)
        if name is not None and path == f"/repos/{name}" and isinstance(data, dict) and "id" in data:
            self._ids[name.lower()] = int(data["id"])

    def id_of(self, name: str) -> int | None:
        return self._ids.get(name.lower())

    def move(self, old: str, new: str) -> None:
        with self._lock:
            self._moved[old.lower()] = (new, self._clock() + REMEMBERED)

    def name(self, name: str) -> str:
        """The present name, as far as it is known."""
        with self._lock:
            new, until = self._moved.get(name.lower(), (name, 0.0))
            if until and until < self._clock():
                del self._moved[name.lower()]
                return name
        return new

    def path(self, path: str) -> str:
        """The path with the present name in it."""
        old = repository_in(path)
        return path if old is None else f"/repos/{self.name(old)}{path.removeprefix(f'/repos/{old}')}"
