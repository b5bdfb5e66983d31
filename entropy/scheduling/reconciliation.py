"""Reconciliation: the forge is asked what changed, whatever webhooks say; by one sweep at a time over all workers."""

import logging

from entropy.errors import ConfigurationError, EntropyError, RateLimited, StateUnavailable
from entropy.scheduling import roster
from entropy.scheduling.batches import compare_all
from entropy.scheduling.net import cast
from entropy.scheduling.pace import longest_period, period, until_turn
from entropy.scheduling.redelivery import redeliver
from entropy.scheduling.watching import watch
from entropy.state.rounds import Round, Sweeping
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

TURNS = 2
"""Sweeps in a row: another for hints that came during the first, and no more, for others want to be served, too."""


def reconcile(tools: Toolbox) -> None:
    """Look at each repository that is due, unless another worker does; then once more at what became due meanwhile."""
    roster.refresh(tools)
    for _ in range(TURNS):
        rounds = tools.rounds.due()
        if not rounds:
            break
        with tools.rounds.sweeping() as sweeping:
            if sweeping is None:
                return
            try:
                _sweep(rounds, sweeping, tools)
            except RateLimited as error:
                slower = tools.rounds.slow_down()
                log.warning("the forge is asked less often", extra={"why": str(error), "slower": slower})
                return
    cast(tools)
    redeliver(tools)


def _sweep(rounds: list[Round], sweeping: Sweeping, tools: Toolbox) -> None:
    """All of `rounds`: one by one those where something moved lately, and all of them where they are few."""
    settings = tools.settings.scheduling
    served = tools.rounds.count()
    few = served <= settings.watched
    longest = longest_period(settings, served, told=tools.rounds.told_by_app)
    lively = tools.rounds.stirred(settings.watched)
    slower, now = tools.rounds.pace, tools.connection.now()
    # Planned before it is done: a hint that comes while we look counts.
    cycles = {name: period(settings, quiet, slower=slower, longest=longest) for name, quiet in rounds}
    tools.rounds.plan({name: until_turn(name, cycle, now=now) for name, cycle in cycles.items()})
    for name, _ in rounds:
        if few or name in lively:
            sweeping.goes_on()
            _watch(name, tools, few=few)
    if not few:
        compare_all([name for name, _ in rounds if name not in lively], sweeping, tools)


def _watch(repository: str, tools: Toolbox, *, few: bool) -> None:
    """A repository that cannot be read is logged and does not stop the others."""
    try:
        watch(repository, tools, few=few)
    except (RateLimited, StateUnavailable, ConfigurationError):
        raise
    except EntropyError as error:
        log.error("repository not discovered", extra={"repository": repository, "why": str(error)})
