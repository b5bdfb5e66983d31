"""Announcements: what happens to runs, told on a Redis channel to whoever listens. Nothing depends on hearing them."""

import json
import uuid
from collections.abc import Iterator
from typing import Any, Literal

from entropy.models import Noun, Run, Stage
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys


class Announcement(Noun):
    """One step of a run."""

    id: str
    run_id: str
    item: str
    role: str
    stage: Stage
    state: Literal["started", "finished", "failed", "retrying"]
    generation: int
    at: float
    """The Redis server's clock, in seconds since the epoch."""
    note: str = ""
    label: str | None = None
    """The label that has just handed the item on."""


class Announcements:
    """The channel."""

    def __init__(self, connection: RedisConnection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    def tell(
        self,
        run: Run,
        stage: Stage,
        state: Literal["started", "finished", "failed", "retrying"],
        *,
        note: str = "",
        label: str | None = None,
    ) -> None:
        announcement = Announcement(
            id=uuid.uuid4().hex,
            run_id=run.id,
            item=str(run.item),
            role=run.role,
            stage=stage,
            state=state,
            generation=run.generation,
            at=self._connection.now(),
            note=note,
            label=label,
        )
        with self._connection.translated():
            self._connection.redis.publish(self._keys.announcements, announcement.model_dump_json())

    def listen(self, *, timeout: float) -> Iterator[Announcement | None]:
        """Yield announcements from now on, and None each time `timeout` seconds pass without one."""
        redis: Any = self._connection.redis  # redis-py leaves its pub/sub untyped
        with self._connection.translated(), redis.pubsub(ignore_subscribe_messages=True) as channel:
            channel.subscribe(self._keys.announcements)
            while True:
                message = channel.get_message(timeout=timeout)
                yield Announcement(**json.loads(message["data"])) if message else None

    def first_to_hear(self, announcement: Announcement) -> bool:
        """True for one listener of all, so that one announcement wakes one discovery."""
        with self._connection.translated():
            return bool(self._connection.redis.set(self._keys.wake(announcement.id), 1, nx=True, ex=60))
