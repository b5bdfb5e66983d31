"""One trial: work, blows, the end, and what the judge and the logs say of it."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from entropy.forge.store import Store
from tests.chaos.installation import Installation, Size
from tests.chaos.judge import Finding, Judge
from tests.chaos.leaks import leaks, leftover_keys
from tests.chaos.record import Execution, Recovery, executions, quantiles, recoveries, repeated, runs_beyond_first
from tests.chaos.schedule import Pace, Schedule, forge_faults, webhook_faults
from tests.chaos.supervisor import Supervisor, strays
from tests.chaos.webhooks import deliveries, subscribe
from tests.chaos.work import Task, seed, tasks

SENDER = "import json, sys; from tests.chaos.native import send; send(json.load(sys.stdin))"
SERVERS = ("redis", "forge")
SETTLING = 60.0
"""Seconds that the installation has, once the last issue is closed, to end its runs and clear up."""


STANDSTILL = 90.0
"""Seconds without a write after which a comparison is taken to have ended: longer than its visibility timeout."""


class Plan(NamedTuple):
    """What a trial consists of."""

    runs: int
    seed: int
    repositories: int = 4
    minutes: float = 20
    size: Size = Size()
    pace: Pace = Pace()
    long_every: int = 20
    long_seconds: float = 25
    verbose: bool = True


@dataclass
class Watch:
    """How far a trial is, on the harness's own clock."""

    began: float
    moved: float = 0
    done: int = 0
    written: int = 0
    most_in_flight: int = 0

    def __post_init__(self) -> None:
        self.moved = self.began

    def see(self, written: int, now: float) -> None:
        if written > self.written:
            self.written, self.moved = written, now


def say(plan: Plan, text: str) -> None:
    if plan.verbose:
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def durable(plan: Plan, folder: Path) -> dict[str, Any]:
    """The installation as it is shipped."""
    with _set_up(plan, folder, trigger="entropy:code") as (there, judge, work):
        subscribe(there)
        _go_wrong(there, [*_forge_faults(plan), *webhook_faults(plan.pace.recurring, plan.seed)])
        there.start_all()
        there.start_receiver()
        schedule = Schedule(there, plan.pace, plan.seed)
        came_to = _under_fire(plan, there, schedule, judge)
        settled = there.supervisor.until(lambda: _idle(there), seconds=SETTLING, each=0.5)
        all_ = executions(folder / "logs")
        return {
            "row": "durable",
            **_verdicts(judge.findings(work)),
            **_record(all_, schedule, settled=settled),
            **came_to,
            "webhooks": deliveries(folder / "forge"),
            **_leaked(there, {execution.run for execution in all_}),
            "settled": settled,
        }


def native(plan: Plan, folder: Path, kind: str) -> dict[str, Any]:
    """The same work as plain chains; `kind` is ``plain`` or ``late``. It is over when nothing is written any more."""
    with _set_up(plan, folder, trigger="native") as (there, judge, work):
        _go_wrong(there, _forge_faults(plan))
        there.start_native(kind)
        items = [(task.repository, task.number, time.time()) for task in work]
        subprocess.run(
            [sys.executable, "-c", SENDER],
            input=json.dumps(items).encode(),
            env=there.native(kind),
            cwd=folder,
            check=True,
            timeout=120,
        )
        schedule = Schedule(there, plan.pace, plan.seed)
        came_to = _under_fire(plan, there, schedule, judge, standstill=STANDSTILL)
        found = judge.findings(work)
        return {"row": kind, **_verdicts(found), **came_to, **_leaked(there, ())}


@contextmanager
def _set_up(plan: Plan, folder: Path, *, trigger: str) -> Iterator[tuple[Installation, Judge, tuple[Task, ...]]]:
    """Redis and a seeded forge; everything ends with the ``with``."""
    work = tasks(plan.runs, over=plan.repositories, every=plan.long_every, seconds=plan.long_seconds)
    with Store(folder / "forge") as store:
        seed(store, folder / "secrets", work, trigger=trigger)
    with Supervisor(folder) as supervisor:
        there = Installation(supervisor, sorted({task.repository for task in work}), plan.size)
        there.start_servers()
        yield there, Judge(folder / "forge"), work


def _forge_faults(plan: Plan) -> list[dict[str, object]]:
    return [*forge_faults(plan.seed)] if plan.pace.forge else []


def _go_wrong(there: Installation, rules: list[dict[str, object]]) -> None:
    there.forge("POST", "/_faults", rules)


def _record(all_: list[Execution], schedule: Schedule, *, settled: bool) -> dict[str, Any]:
    """What the workers' logs say."""
    back = recoveries(all_, schedule.strikes)
    return {
        "entropy_runs": len({execution.run for execution in all_}),
        "runs_of_a_role_beyond_the_first": runs_beyond_first(all_),
        "stage_executions": len(all_),
        "stage_executions_beyond_the_first": dict(repeated(all_, schedule.strikes)),
        "recoveries": _spread(back, "up"),
        "recoveries_while_redis_was_away": _spread(back, "away"),
        "taken_up_anew_after_a_flush": _spread(back, "flushed"),
        "slowest": [_told(one) for one in sorted(back, key=lambda one: -(one.seconds or 0))[:5]],
        # Hit behind the last step that was left to do; or lost, where the installation did not come to rest.
        "hit_with_nothing_left_to_do" if settled else "not_recovered": sum(r.seconds is None for r in back),
    }


def _spread(back: list[Recovery], redis: str) -> dict[str, float | int]:
    return quantiles(r.seconds for r in back if r.seconds is not None and r.redis == redis)


def _told(one: Recovery) -> str:
    hit = one.execution
    return f"{one.seconds or 0:.1f} s: {one.strike.kind} in {hit.stage} of {hit.item}, {hit.role}, Redis {one.redis}"


def _leaked(there: Installation, runs: Collection[str]) -> dict[str, Any]:
    """What is left while the installation rests, and which processes outlive their workers."""
    left, keys = leaks(there, runs), leftover_keys(there)
    there.supervisor.stop([name for name in there.supervisor.services if name not in SERVERS], patience=20)
    left["processes"] = len(strays(there.folder)) - len(SERVERS)
    return {"leaked": sum(left.values()), "leaks": left, "leaked_keys": keys[:20]}


def _under_fire(
    plan: Plan, there: Installation, schedule: Schedule, judge: Judge, *, standstill: float = inf
) -> dict[str, Any]:
    """Strike until every issue is closed, the time is over, or nothing was written for `standstill` seconds."""
    watch = Watch(time.monotonic())

    def over() -> bool:
        done, now = judge.closed(), time.monotonic()
        strike = schedule.strike_when_due(judge.steps() / (3 * plan.runs))
        watch.see(judge.last_write(), now)
        watch.most_in_flight = max(watch.most_in_flight, there.live() or 0)
        if done // 10 != watch.done // 10 or strike:
            say(plan, f"{done} of {plan.runs} closed" + (f"; {strike.kind}" if strike else ""))
        watch.done = done
        return done >= plan.runs or now - watch.began > plan.minutes * 60 or now - watch.moved > standstill

    there.supervisor.until(over, seconds=inf, each=0.2)
    schedule.thaw()
    fired = there.faults_fired()
    there.forge("DELETE", "/_faults")
    return {
        "strikes": dict(Counter(strike.kind for strike in schedule.strikes)),
        "forge_faults": fired,
        "seconds": round(watch.moved - watch.began, 1),
        "seed": plan.seed,
        "most_in_flight": watch.most_in_flight,
        "workers": plan.size._asdict(),
    }


def _idle(there: Installation) -> bool:
    return there.live() == 0 and not any(leaks(there, ()).values())


def _verdicts(found: list[Finding]) -> dict[str, Any]:
    duplicated = [finding for finding in found if finding.doubled]
    incomplete = [finding for finding in found if finding.missing and not finding.doubled]
    return {
        "runs": len(found),
        "exact": len(found) - len(duplicated) - len(incomplete),
        "incomplete": len(incomplete),
        "duplicated": len(duplicated),
        "comments_folded": sum(len(finding.folded) for finding in found),
        "findings": [
            f"{finding.task.repository}#{finding.task.number}: {', '.join(finding.missing + finding.doubled)}"
            for finding in (*duplicated, *incomplete)
        ][:20],
    }
