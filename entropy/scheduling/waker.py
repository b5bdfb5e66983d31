"""The waker: in workers that serve discovery, hears that an item was handed on and has it discovered at once."""

import logging
import threading
from typing import Any

from celery import bootsteps

from entropy.errors import TransientError
from entropy.lifecycle.queues import SCHEDULING
from entropy.models import WorkItem
from entropy.scheduling.discovery import look, tick
from entropy.state.announcements import Announcement
from entropy.state.hints import Hint
from entropy.wiring import Toolbox, toolbox

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds without an announcement after which the listener looks whether it should stop."""


class Waker(bootsteps.StartStopStep):
    """Listens from a thread of the worker's main process."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def include_if(self, consumer: Any) -> bool:
        return SCHEDULING in consumer.app.amqp.queues.consume_from

    def start(self, consumer: Any) -> None:
        self._over.clear()
        self._thread = threading.Thread(target=self._listen, args=(toolbox(),), name="waker", daemon=True)
        self._thread.start()

    def stop(self, consumer: Any) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _listen(self, tools: Toolbox) -> None:
        while not self._over.is_set():
            try:
                self._wake(tools)
            except TransientError as error:
                log.warning("waker lost its channel", extra={"why": str(error)})
                self._over.wait(PATIENCE)

    def _wake(self, tools: Toolbox) -> None:
        for count, announcement in enumerate(tools.announcements.listen(timeout=PATIENCE)):
            if self._over.is_set():
                return
            if not count:
                # A new channel: something may have been missed before it; after a loss of Redis, everything.
                tick.delay()
            if announcement and announcement.label and tools.announcements.first_to_hear(announcement):
                _look_there(announcement, tools)


def _look_there(announcement: Announcement, tools: Toolbox) -> None:
    """The label may be on the item or on its pull request."""
    item = WorkItem.parse(announcement.item)
    tools.hints.take(Hint(repository=item.repository, numbers=(item.number,), everywhere=True))
    look.delay()
