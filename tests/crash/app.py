"""The app as it is shipped, in workers that die: ``celery -A tests.crash.app worker``, with ``CRASH_FOLDER`` set.

A worker's process ends by SIGKILL when its run reaches a point that this run was dealt, once per point over all
processes. A point that the table does not know is dealt to whoever comes first. Instead of that,

CRASH_ALWAYS  names a point where it ends each time;
CRASH_ONCE    names points, by commas, where the first to come ends;
CRASH_FORGET  names points where nobody ends, and Redis loses everything once at each.
"""

import contextlib
import os
import signal
from itertools import count
from pathlib import Path
from typing import Any

from celery.signals import celeryd_init, task_prerun

from entropy.celery import app
from entropy.errors import IllegalStep
from entropy.models import Run
from entropy.settings import settings
from entropy.wiring import Toolbox, equip, toolbox
from tests.crash.points import ITEMS, POINTS, Point

__all__ = ["app"]

FOLDER = Path(os.environ["CRASH_FOLDER"])
ALWAYS = os.environ.get("CRASH_ALWAYS")
ONCE = os.environ.get("CRASH_ONCE", "").split(",")
FORGET = os.environ.get("CRASH_FORGET", "").split(",")
_at_work: list[Run] = []


@celeryd_init.connect
def watch(**_: Any) -> None:
    equip(lambda: Toolbox(settings(), reached=reached, patience=10))


@task_prerun.connect
def remember(args: Any, **_: Any) -> None:
    """Which run this process is at; a point says only its own name."""
    _at_work.clear()
    for run_id in args[:1]:
        with contextlib.suppress(IllegalStep):  # Redis has lost it
            _at_work.append(toolbox().runs.get(run_id))


def reached(name: str) -> None:
    run = _at_work[0]
    point = Point(run.role, name)
    first("seen", str(point), run.id)
    if ALWAYS or any(ONCE) or any(FORGET):
        obey(run, name)
    elif dealt(point, str(run.item)) and first("died", str(point), run.id):
        die()


def obey(run: Run, name: str) -> None:
    """Do what the environment asks for at this point."""
    if name == ALWAYS and first("died", f"{run.id}-{run.generation}", name):
        die()
    if name in ONCE and first("died", name, run.id):
        die()
    if name in FORGET and first("died", name, run.id):
        toolbox().connection.redis.flushall()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dealt(point: Point, item: str) -> bool:
    """Whether this item's run is the one to lose its worker here."""
    points = POINTS.get(point.role, ())
    return point not in points or points.index(point) % ITEMS == place(point.role, item)


def place(role: str, item: str) -> int:
    """The how-manieth item of its role this is."""
    for number in count():
        if first("items", f"{role}-{number}", item) or (FOLDER / "items" / f"{role}-{number}").read_text() == item:
            return number
    raise AssertionError("there are always more numbers")


def first(folder: str, name: str, content: str) -> bool:
    """True for the first of all processes that comes here."""
    try:
        with (FOLDER / folder / name).open("x") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True
