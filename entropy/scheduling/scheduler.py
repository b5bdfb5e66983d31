"""TaskScheduler: asks the forge which items labels hand to which role; starts as many runs as there is room for."""

import logging
from collections.abc import Iterator
from itertools import chain as flatten
from itertools import zip_longest
from typing import NamedTuple

from entropy.errors import EntropyError
from entropy.github.discovery import Candidate
from entropy.lifecycle.starting import dispatch
from entropy.models import WorkItem
from entropy.scheduling.identity import SCHEDULER
from entropy.state.runs import Admission
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)


class Wish(NamedTuple):
    """An item that a label hands to a role."""

    item: WorkItem
    role: str
    trigger: str


class TaskScheduler:
    """Decides and starts, nothing more."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools

    def discover(self) -> list[str]:
        """Look at every repository once; returns the ids of the runs that were started."""
        started = []
        for wish in self._fairly():
            admission, run_id = self._tools.runs.admit(wish.item, wish.role, trigger=wish.trigger)
            if admission is Admission.ADMITTED:
                log.info("run admitted", extra={"run_id": run_id, "item": str(wish.item), "role": wish.role})
                dispatch(self._tools.runs.get(run_id))
                started.append(run_id)
        return started

    def _fairly(self) -> Iterator[Wish]:
        """One wish of each repository in turn, so that a busy one cannot crowd out the others."""
        waiting = [self._wishes(repository) for repository in self._tools.settings.github.repositories]
        return (wish for wish in flatten.from_iterable(zip_longest(*waiting)) if wish is not None)

    def _wishes(self, repository: str) -> list[Wish]:
        """The oldest first. A repository that cannot be read is logged and does not stop the others."""
        triggers = self._tools.agents.triggers()
        try:
            candidates = self._tools.github(SCHEDULER).discovery.labelled(repository, triggers)
        except EntropyError as error:
            log.error("repository not discovered", extra={"repository": repository, "why": str(error)})
            return []
        return [
            Wish(candidate.item, triggers[label], label)
            for candidate in sorted(candidates, key=_age)
            for label in candidate.labels
            if label in triggers
        ]


def _age(candidate: Candidate) -> tuple[object, int]:
    return candidate.created, candidate.item.number
