"""The reaper: takes up runs whose worker died or whose message was lost. Several at once are safe."""

import logging
import threading

from entropy.errors import EntropyError, StateUnavailable, TransientError
from entropy.lifecycle.starting import take_up
from entropy.state.snapshots import STRAYS_SECONDS, SWEEP_SECONDS
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)


def reap_once(tools: Toolbox) -> list[str]:
    """Send every overdue run again from the stage it reached; returns their ids."""
    taken = []
    for envelope in tools.runs.overdue():
        run = take_up(envelope, tools)
        log.warning(
            "overdue run taken up",
            extra={"run_id": run.id, "stage": str(run.stage), "generation": run.generation, "item": str(run.item)},
        )
        taken.append(run.id)
    return taken


def clear_sandboxes(tools: Toolbox) -> None:
    """On a node that makes sandboxes: remove those of generations that are over."""
    if tools.settings.sandbox.backend == "none":
        return
    for name in tools.sandboxes.reap(tools.runs.live_names()):
        log.warning("sandbox removed", extra={"sandbox": name})


def clear_artifacts(tools: Toolbox) -> None:
    """Once in a while: remove snapshots that nobody has used for long, and what lies in the store and is nobody's."""
    try:
        if tools.snapshots.due("snapshots", SWEEP_SECONDS):
            _say_removed(tools.snapshots.sweep(tools.runs.live()))
        if tools.snapshots.due("strays", STRAYS_SECONDS):
            _say_removed(tools.snapshots.sweep_strays())
    except StateUnavailable:
        raise
    except EntropyError as error:  # another worker may have the credentials of the store
        log.warning("artifacts not cleared", extra={"why": str(error)})


def _say_removed(places: list[str]) -> None:
    for place in places:
        log.info("artifact removed", extra={"place": place})


def reap_forever(tools: Toolbox, stop: threading.Event) -> None:
    """Look every few seconds until told to stop; an outage of Redis or of the sandboxes is waited out."""
    while not stop.is_set():
        try:
            reap_once(tools)
            clear_sandboxes(tools)
            clear_artifacts(tools)
        except TransientError as error:
            log.warning("reaper waits", extra={"why": str(error)})
        stop.wait(tools.settings.scheduling.reaper_interval)
