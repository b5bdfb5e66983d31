"""Reconciliation: the forge is asked what changed, whatever webhooks say; by one sweep at a time over all workers."""

import logging
from collections.abc import Callable

from entropy.errors import ConfigurationError, EntropyError, RateLimited, StateUnavailable
from entropy.scheduling import roster
from entropy.scheduling.batches import compare_all
from entropy.scheduling.heartbeat import heartbeat
from entropy.scheduling.pace import longest_period, period, until_turn
from entropy.scheduling.redelivery import redeliver
from entropy.scheduling.safety_net import find_missed
from entropy.scheduling.watching import watch
from entropy.state.rounds import LEASE, Round
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

Closely = Callable[[str], bool]
"""Whether a repository is asked by itself."""


def reconcile(tools: Toolbox) -> None:
    """Look at each repository that is due, unless another worker does; then at those that a hint made due meanwhile."""
    roster.refresh(tools)
    try:
        if _sweep_once(tools, _all):
            _sweep_once(tools, _some)
        find_missed(tools)
    except RateLimited as error:
        slower = tools.rounds.slow_down()
        log.warning("the forge is asked less often", extra={"why": str(error), "slower": slower})
    redeliver(tools)


def _sweep_once(tools: Toolbox, choose: Callable[[list[Round], Closely], list[Round]]) -> bool:
    """Whether there was anything to do, and nobody else at it."""
    closely = _chosen(tools)
    if not (rounds := choose(tools.rounds.due(), closely)):
        return False
    with tools.rounds.sweeping() as sweeping:
        if sweeping is not None:
            with heartbeat(sweeping.prolong, lease=LEASE):
                _sweep(rounds, closely, tools)
    return sweeping is not None


def _chosen(tools: Toolbox) -> Closely:
    """All where they are few, else those where something moved last, are asked one by one; the others in batches."""
    watched = tools.settings.scheduling.watched
    if tools.rounds.count() <= watched:
        return lambda _: True
    return tools.rounds.stirred(watched).__contains__


def _all(rounds: list[Round], _: Closely) -> list[Round]:
    return rounds


def _some(rounds: list[Round], closely: Closely) -> list[Round]:
    """Without those that are asked in batches: half a batch costs as much as a full one, and the next beat comes."""
    return [each for each in rounds if closely(each.repository)]


def _sweep(rounds: list[Round], closely: Closely, tools: Toolbox) -> None:
    settings, served = tools.settings.scheduling, tools.rounds.count()
    longest = longest_period(settings, served, told=tools.rounds.told_by_app)
    slower, now = tools.rounds.pace, tools.connection.now()
    # Planned before it is done: a hint that comes while we look counts.
    cycles = {name: period(settings, quiet, slower=slower, longest=longest) for name, quiet in rounds}
    tools.rounds.plan(
        {name: until_turn(name, cycle, now=now, interval=settings.interval) for name, cycle in cycles.items()}
    )
    for name, _ in rounds:
        if closely(name):
            _watch(name, tools, few=served <= settings.watched)
    compare_all([name for name, _ in rounds if not closely(name)], tools)


def _watch(repository: str, tools: Toolbox, *, few: bool) -> None:
    """A repository that cannot be read is logged and does not stop the others."""
    try:
        watch(repository, tools, few=few)
    except (RateLimited, StateUnavailable, ConfigurationError):
        raise
    except EntropyError as error:
        log.error("repository not discovered", extra={"repository": repository, "why": str(error)})
