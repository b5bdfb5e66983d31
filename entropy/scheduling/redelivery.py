"""Redelivery: GitHub sends a webhook once; what did not arrive is asked for again."""

import logging
from collections import Counter

from entropy.errors import EntropyError, StateUnavailable
from entropy.github.apps import GitHubApp
from entropy.scheduling.identity import SCHEDULER
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

TURN = "redelivery"
PAGES = 10
"""As many pages of failures are looked through; reconciliation finds what was told before."""
TRIES = 8
"""Attempts after which a webhook is given up, also for reconciliation to find."""


def redeliver(tools: Toolbox) -> None:
    """If it is time for that, and the scheduler is an App that can ask for it."""
    interval = tools.settings.scheduling.redelivery_interval
    if not interval or (app := tools.app(SCHEDULER)) is None or not tools.rounds.turn(TURN, interval):
        return
    try:
        _again(app, tools)
    except StateUnavailable:
        raise
    except EntropyError as error:
        log.warning("webhooks not asked for again", extra={"why": str(error)})


def _again(app: GitHubApp, tools: Toolbox) -> None:
    attempts = list(app.failed_deliveries(PAGES))
    tries = Counter(str(attempt["guid"]) for attempt in attempts)
    latest = {str(attempt["guid"]): int(attempt["id"]) for attempt in reversed(attempts)}
    for delivery in tools.hints.unknown(latest):
        if tries[delivery] < TRIES:
            app.redeliver(latest[delivery])
            log.info("webhook asked for again", extra={"delivery": delivery, "tries": tries[delivery]})
