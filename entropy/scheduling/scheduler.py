"""TaskScheduler: looks at items that changed; starts as many of the runs that labels ask for as there is room for."""

import logging
import random
from collections.abc import Iterator
from functools import partial
from itertools import chain as flatten
from itertools import zip_longest

from entropy.errors import EntropyError, RateLimited, TransientError
from entropy.github.errors import Missing
from entropy.items import Item
from entropy.lifecycle.signs import resting
from entropy.lifecycle.starting import dispatch
from entropy.models import WorkItem
from entropy.scheduling.attention import attend
from entropy.scheduling.heartbeat import heartbeat
from entropy.scheduling.reconciliation import reconcile
from entropy.state.looks import LEASE, Due
from entropy.state.runs import Admission
from entropy.state.waiting import Wish
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

AT_ONCE = 20
"""Items that are looked at before what waits is served."""


class TaskScheduler:
    """Decides and starts, nothing more."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools
        self._started: list[str] = []
        self._dropped = 0
        self._fresh: dict[WorkItem, Item] = {}

    def discover(self) -> list[str]:
        """Look at what is due; returns the ids of the runs that were started."""
        try:
            self._tools.looks.begin()
            self._look_at_hints()
            reconcile(self._tools)
            self._look_at_hints()
        except RateLimited as error:
            slower = self._tools.rounds.slow_down()
            log.warning("the forge is asked less often", extra={"why": str(error), "slower": slower})
        return self._started

    def _look_at_hints(self) -> None:
        """All of them, a few at a time, so that what waits for room is served between them and in turns."""
        while self._look_at_some():
            self._serve_waiting()
        self._serve_waiting()

    def _look_at_some(self) -> int:
        for count in range(AT_ONCE):
            due = self._tools.looks.take()
            if due is None:
                return count
            self._look(due)
        return AT_ONCE

    def _serve_waiting(self) -> None:
        """Admit as many of those that wait as there is room for, each as it is now; until none of them was outdated."""
        dropped = -1
        while dropped != self._dropped:
            dropped = self._dropped
            for item in dict.fromkeys(wish.item for wish in self._fairly()):
                if item not in self._fresh and (due := self._tools.looks.take(item)):
                    self._look(due)
                self._admit(item)
        self._fresh.clear()

    def _look(self, due: Due) -> None:
        """Read an item as it is now. Nobody else does at the same time: what they saw could be older, and count."""
        try:
            with heartbeat(partial(self._tools.looks.prolong, due), lease=LEASE):
                found = attend(due.item, self._tools)
        except RateLimited:
            raise
        except Missing:
            self._wait(due, [])
        except EntropyError as error:
            log.error("item not looked at", extra={"item": str(due.item), "why": str(error)})
            if isinstance(error, TransientError):
                self._tools.looks.failed(due)
                return
        else:
            self._fresh[due.item] = found
            self._wait(due, self._wanted(found))
        self._tools.looks.done(due)

    def _wanted(self, found: Item) -> list[str]:
        triggers = self._tools.agents.triggers()
        at_rest = not found.open or resting(found.labels)
        return [] if at_rest else [label for label in found.labels if label in triggers]

    def _admit(self, item: WorkItem) -> None:
        """What the labels of the item ask for, as it was just read; it is gone where there is no longer any."""
        found, triggers = self._fresh.pop(item, None), self._tools.agents.triggers()
        for label in self._wanted(found) if found else ():
            admission, run_id = self._tools.runs.admit(item, triggers[label], trigger=label)
            if admission is Admission.ADMITTED:
                log.info("run admitted", extra={"run_id": run_id, "item": str(item), "role": triggers[label]})
                dispatch(self._tools.runs.get(run_id))
                self._started.append(run_id)

    def _wait(self, due: Due, labels: list[str]) -> None:
        self._dropped += self._tools.waiting.save(due.item, labels, looker=due.looker)

    def _fairly(self) -> Iterator[Wish]:
        """As many wishes as there is room for, one of each repository in turn: a busy one does not crowd out others."""
        settings, waiting = self._tools.settings.scheduling, self._tools.waiting
        room = settings.capacity - waiting.in_flight()
        ready: list[list[Wish]] = []
        repositories = waiting.repositories() if room > 0 else []
        random.shuffle(repositories)
        for repository in repositories:
            if len(ready) >= room:
                break
            share = settings.capacity_per_repository - waiting.in_flight(repository)
            if share > 0 and (wishes := waiting.ready(repository, self._tools.agents.triggers())[:share]):
                ready.append(wishes)
        turns = (wish for wish in flatten.from_iterable(zip_longest(*ready)) if wish is not None)
        return (wish for _, wish in zip(range(max(room, 0)), turns, strict=False))
