"""Sightings: what was last seen of each repository, so that what did not change is not read again.

All of it may be lost at any time: whatever is not remembered counts as changed.
"""

from collections.abc import Mapping

from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys

MEMORY = 7 * 86_400_000
"""Milliseconds for which a repository where nothing happens is remembered."""
NOTHING: Mapping[str, str] = {}


class Sightings:
    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._sight = connection.script("sight")

    def facts(self, repository: str) -> dict[str, str]:
        """What was noted of the repository, such as the ETags of earlier answers."""
        with self._connection.translated():
            found = self._connection.redis.hgetall(self._keys.sight(repository))
        fields = {text(field): text(value) for field, value in found.items()}
        return {field.removeprefix("fact:"): value for field, value in fields.items() if field.startswith("fact:")}

    def save(
        self, repository: str, changes: Mapping[str, str], *, facts: Mapping[str, str] = NOTHING, anew: bool = False
    ) -> int:
        """Note what was seen; items of which something is new are to be looked at. Returns how much was new.

        `changes`: what tells two states of an aspect apart, by aspect; an aspect begins with its item's number, such
        as ``12`` or ``12/checks``. `anew` forgets all that was seen before.
        """
        noted = [part for pair in facts.items() for part in pair]
        seen = [part for pair in changes.items() for part in pair]
        keys = [self._keys.sight(repository), self._keys.looks, self._keys.told, self._keys.stirred]
        with self._connection.translated():
            return int(self._sight(keys=keys, args=[MEMORY, repository, int(anew), len(facts), *noted, *seen]))
