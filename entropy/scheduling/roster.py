"""Which repositories are served: those of the settings, or all that the App is installed on."""

import logging
from fnmatch import fnmatchcase

from entropy.errors import EntropyError, ForgeRefused
from entropy.scheduling.identity import SCHEDULER
from entropy.settings import GitHubSettings
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

ROSTER = "roster"
"""The name of the turn at which the installation is asked."""
RETRY = 60.0


def refresh(tools: Toolbox) -> None:
    """Bring the list of repositories up to date; when the forge cannot be asked, the old one stays."""
    settings = tools.settings.github
    if settings.repositories:
        tools.rounds.serve(chosen(settings.repositories, settings))
        return
    due = tools.rounds.turn(ROSTER, tools.settings.scheduling.roster_interval)
    if not due and tools.rounds.count():
        return
    try:
        tools.rounds.serve(chosen(tools.github(SCHEDULER).discovery.installed(), settings))
    except ForgeRefused as error:
        log.error("no repositories: set ENTROPY_GITHUB__REPOSITORIES or use an App", extra={"why": str(error)})
    except EntropyError as error:
        log.warning("list of repositories not refreshed", extra={"why": str(error)})
        tools.rounds.again(ROSTER)


def chosen(names: tuple[str, ...], settings: GitHubSettings) -> list[str]:
    """Those that a pattern allows and none denies; names are compared as the forge does, whatever their case."""
    return [name for name in names if _matches(name, settings.allow) and not _matches(name, settings.deny)]


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
