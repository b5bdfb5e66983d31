"""What discovery costs: real sweeps of a real forge, in an hour that is shorter than others."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from entropy.scheduling.scheduler import TaskScheduler
from entropy.settings import SchedulingSettings
from tests.bench.gaps import Gaps
from tests.integration.scheduling.country import CODE, Country, open_country
from tests.redis_server import running_redis

TIMES = ("interval", "sweep_interval", "quiet_interval", "search_interval", "roster_interval", "redelivery_interval")


class Plan(NamedTuple):
    repositories: int
    minutes: float
    """Of the forge's time, for each of both parts."""
    speed: float
    """How many times faster than usual the time goes by."""
    change: float
    """Which share of the repositories gets a labelled issue within the time in which each is looked at once."""


def measure(plan: Plan) -> dict[str, Any]:
    """One row: an hour without changes, and an hour with them."""
    with tempfile.TemporaryDirectory(prefix="entropy-bench-") as place:
        folder, gaps = Path(place), []
        (folder / "redis").mkdir()

        def watched(app: Any) -> Any:
            gaps.append(Gaps(app))
            return gaps[0]

        # Runs are admitted as they come and go nowhere: what they would ask for is not what discovery asks for.
        scheduling = _faster(plan.speed) | {"capacity": 10**6, "capacity_per_repository": 10**6}
        with (
            running_redis(folder / "redis") as redis_url,
            open_country(folder, redis_url, plan.repositories, wrap=watched, **scheduling) as country,
        ):
            _say(f"{plan.repositories} repositories: first sweep")
            TaskScheduler(country.tools).discover()
            _let_pass(country, plan, minutes=_round(plan) / 60, change=0.0)
            idle = _part(country, plan, gaps[0], change=0.0)
            busy = _part(country, plan, gaps[0], change=plan.change)
    return {"repositories": plan.repositories, "minutes": plan.minutes, "speed": plan.speed, "idle": idle, "busy": busy}


def _part(country: Country, plan: Plan, gaps: Gaps, *, change: float) -> dict[str, Any]:
    _say(f"{plan.repositories} repositories: {plan.minutes} minutes with {change:.0%} change")
    country.usage(reset=True)
    gaps.forget()
    begin = time.monotonic()
    changes, started = _let_pass(country, plan, minutes=plan.minutes, change=change)
    spent = country.usage(reset=True)
    gap, twice = gaps.longest()
    per_hour = 3600 / ((time.monotonic() - begin) * plan.speed)  # the last beat may take longer than there was time
    return {
        "changes": changes,
        "found": started,
        "core_an_hour": round(spent.get("core", {}).get("charged", 0) * per_hour),
        "free_an_hour": round(spent.get("core", {}).get("free", 0) * per_hour),
        "points_an_hour": round(spent.get("graphql", {}).get("charged", 0) * per_hour),
        "searches_an_hour": round(spent.get("search", {}).get("charged", 0) * per_hour),
        "longest_gap_seconds": round(gap * plan.speed),
        "seen_twice": twice,
    }


def _let_pass(country: Country, plan: Plan, *, minutes: float, change: float) -> tuple[int, int]:
    """Beat, and change things in between; how much changed, and how many runs were started."""
    beat = country.tools.settings.scheduling.interval
    begin = time.monotonic()
    end, changes, started = begin + minutes * 60 / plan.speed, 0, 0
    while (now := time.monotonic()) < end:
        wanted = (now - begin) * plan.speed / _round(plan) * plan.repositories * change
        while changes < int(wanted):
            country.issue(country.repositories[(changes * 7919) % plan.repositories], CODE)
            changes += 1
        started += len(TaskScheduler(country.tools).discover())
        time.sleep(max(0.0, beat - (time.monotonic() - now)))
    return changes, started


def _round(plan: Plan) -> float:
    """Seconds in which each repository is looked at once."""
    usual = SchedulingSettings()
    return usual.interval if plan.repositories <= usual.watched else usual.sweep_interval


def _faster(speed: float) -> dict[str, Any]:
    usual = SchedulingSettings()
    return {name: getattr(usual, name) / speed for name in TIMES}


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
