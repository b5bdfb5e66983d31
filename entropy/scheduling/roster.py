"""Which repositories are served: those of the settings, or all that the App is installed on."""

import logging
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import count

from entropy.errors import EntropyError, ForgeRefused
from entropy.github.discovery import InstalledPage
from entropy.scheduling.identity import SCHEDULER
from entropy.settings import GitHubSettings
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

ROSTER = "roster"
"""The name of the turn at which the installation is asked."""


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
        tools.rounds.serve(chosen(_installed(tools), settings))
    except ForgeRefused as error:
        log.error("no repositories: set ENTROPY_GITHUB__REPOSITORIES or use an App", extra={"why": str(error)})
    except EntropyError as error:
        log.warning("list of repositories not refreshed", extra={"why": str(error)})
        tools.rounds.again(ROSTER)


def _installed(tools: Toolbox) -> list[str]:
    """All repositories of all installations; a page that did not change is not sent again, and not charged for."""
    discovery = tools.github(SCHEDULER).discovery
    found: list[str] = []
    for owner in discovery.owners():
        for number in count(1):
            kept = tools.rounds.page(f"{owner}/{number}")
            etag, page = discovery.installed(owner, number, etag=kept and kept[0])
            if page is None and kept:
                page = InstalledPage.model_validate_json(kept[1])
            elif page and etag:
                tools.rounds.keep_page(f"{owner}/{number}", etag, page.model_dump_json())
            found += page.names if page else ()
            if page is None or page.last:
                break
    return found


def chosen(names: Iterable[str], settings: GitHubSettings) -> list[str]:
    """Those that a pattern allows and none denies; names are compared as the forge does, whatever their case."""
    return [name for name in names if _matches(name, settings.allow) and not _matches(name, settings.deny)]


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
