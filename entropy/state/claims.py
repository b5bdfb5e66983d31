"""Claims: which run has an item. A claim lasts as long as its run is live."""

from entropy.errors import StaleGeneration
from entropy.models import Run
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys


class Claims:
    """One item, one run."""

    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._claim = connection.script("claim")
        self._release = connection.script("release")

    def take(self, run: Run) -> bool:
        """Whether the item is now this run's; taking it twice is taking it once. Raises `StaleGeneration`."""
        keys = [self._keys.claim(run.item), self._keys.live, self._keys.run(run.id)]
        with self._connection.translated():
            answer = int(self._claim(keys=keys, args=[run.id, run.generation]))
        if answer < 0:
            raise StaleGeneration
        return bool(answer)

    def release(self, run: Run) -> None:
        """Give the item back, if it was this run's."""
        with self._connection.translated():
            self._release(keys=[self._keys.claim(run.item)], args=[run.id])
