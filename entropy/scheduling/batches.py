"""Many repositories at once: which of them have something new for us."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from entropy.errors import ConfigurationError, EntropyError, RateLimited, StateUnavailable
from entropy.github.sweep import BATCH, Hits
from entropy.scheduling.identity import SCHEDULER
from entropy.scheduling.watching import find_all
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

ASPECT = "batch"
"""What a batch shows of an item is told apart from what a close look shows of it."""


def compare_all(repositories: Iterable[str], tools: Toolbox) -> None:
    """Have each labelled issue looked at of which a batch shows something new."""
    labels = sorted(tools.agents.triggers())
    for batch in batches(repositories):
        for hits in _asked(batch, labels, tools):
            _compare(hits, tools)


def _asked(batch: Sequence[str], labels: Sequence[str], tools: Toolbox) -> tuple[Hits, ...]:
    """A batch that is not answered is logged and does not stop the others; its turn comes again."""
    try:
        return tools.github(SCHEDULER).sweep.ask(batch, labels)
    except (RateLimited, StateUnavailable, ConfigurationError):
        raise
    except EntropyError as error:
        log.error("repositories not discovered", extra={"first": batch[0], "last": batch[-1], "why": str(error)})
        return ()


def batches(repositories: Iterable[str]) -> Iterator[Sequence[str]]:
    """Full ones as far as possible; an App asks about one owner at a time."""
    for _, group in groupby(sorted(repositories), key=_owner):
        names = list(group)
        yield from (names[start : start + BATCH] for start in range(0, len(names), BATCH))


def _owner(repository: str) -> str:
    return repository.partition("/")[0]


def _compare(hits: Hits, tools: Toolbox) -> None:
    if not hits.changes:
        return
    new = tools.sightings.save(hits.repository, {f"{number}/{ASPECT}": at for number, at in hits.changes.items()})
    if new and hits.more:
        find_all(hits.repository, tools)  # there are more than a batch shows
