"""The safety net: a search, every few minutes, for what neither webhooks nor sweeps have shown."""

import logging
from datetime import UTC, datetime, timedelta

from entropy.errors import EntropyError, RateLimited, StateUnavailable
from entropy.scheduling.identity import SCHEDULER
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

NET = "net"
"""The name of the turn, and of what a search shows of an item."""
LAG = timedelta(minutes=15)
"""How far the forge's index may lag behind."""
TIME = "%Y-%m-%dT%H:%M:%SZ"


def find_missed(tools: Toolbox) -> None:
    """Have looked at what changed where only labelled issues are swept, if it is time for that."""
    settings = tools.settings.scheduling
    if not settings.search_interval or tools.rounds.count() <= settings.watched:
        return  # each of so few is asked for every change of it anyway
    if not tools.rounds.turn(NET, settings.search_interval):
        return
    since = datetime.fromtimestamp(tools.connection.now(), UTC) - LAG - timedelta(seconds=settings.search_interval)
    for owner in sorted(tools.rounds.owners()):
        _search(owner, f"{since:{TIME}}", tools)


def _search(owner: str, since: str, tools: Toolbox) -> None:
    try:
        found = tools.github(SCHEDULER).search.changed(owner, since=since)
    except (RateLimited, StateUnavailable):
        raise
    except EntropyError as error:
        log.error("owner not searched", extra={"owner": owner, "why": str(error)})
        return
    for repository in tools.rounds.serves(found):
        tools.sightings.save(repository, {f"{number}/{NET}": at for number, at in found[repository].items()})
