"""One trial: work, blows, the end, and what the judge and the logs say of it."""

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from entropy.forge.store import Store
from tests.chaos.installation import Installation, Size
from tests.chaos.judge import Finding, Judge
from tests.chaos.leaks import leaks
from tests.chaos.record import executions, quantiles, recoveries, repeated, runs_beyond_first
from tests.chaos.schedule import Pace, Schedule, forge_faults
from tests.chaos.supervisor import Supervisor, strays
from tests.chaos.work import seed, tasks

SETTLING = 60.0
"""Seconds that the installation has, once the last issue is closed, to end its runs and clear up."""


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


def say(plan: Plan, text: str) -> None:
    if plan.verbose:
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def durable(plan: Plan, folder: Path) -> dict[str, Any]:
    """The installation as it is shipped."""
    work = tasks(plan.runs, over=plan.repositories, every=plan.long_every, seconds=plan.long_seconds)
    with Store(folder / "forge") as store:
        seed(store, folder / "secrets", work, trigger="entropy:code")
    with Supervisor(folder) as supervisor:
        there = Installation(supervisor, sorted({task.repository for task in work}), plan.size)
        there.start_servers()
        there.start_all()
        began = time.time()
        schedule = Schedule(there, plan.pace, plan.seed)
        there.forge("POST", "/_faults", [*forge_faults(plan.seed)] if plan.pace.forge else [])
        judge = Judge(folder / "forge")
        _under_fire(plan, there, schedule, judge)
        seconds = time.time() - began
        fired = there.faults_fired()
        there.forge("DELETE", "/_faults")
        settled = supervisor.until(lambda: _idle(there), seconds=SETTLING, each=0.5)
        found = judge.findings(work, reviewed=True)
        all_ = executions(folder / "logs")
        left = _left(there, {execution.run for execution in all_})
        supervisor.stop([name for name in supervisor.services if name not in ("redis", "forge")], patience=20)
        outside = strays(folder)
        left["processes"] = len(outside) - 2  # Redis and the forge are still up
    back = recoveries(all_, schedule.strikes, end=time.time())
    return {
        "row": "durable",
        **_verdicts(found),
        "entropy_runs": len({execution.run for execution in all_}),
        "runs_of_a_role_beyond_the_first": runs_beyond_first(all_),
        "stage_executions": len(all_),
        "stage_executions_beyond_the_first": dict(repeated(all_, schedule.strikes)),
        "recoveries": quantiles(r.seconds for r in back if r.seconds is not None and not r.redis_was_away),
        "recoveries_with_redis_away": quantiles(r.seconds for r in back if r.seconds is not None and r.redis_was_away),
        "never_recovered": sum(r.seconds is None for r in back),
        "strikes": dict(Counter(strike.kind for strike in schedule.strikes)),
        "forge_faults": fired,
        "settled": settled,
        "leaked": sum(left.values()),
        "leaks": left,
        "seconds": round(seconds, 1),
        "seed": plan.seed,
    }


def _under_fire(plan: Plan, there: Installation, schedule: Schedule, judge: Judge) -> None:
    """Strike until every issue is closed or the time is over."""
    deadline = time.monotonic() + plan.minutes * 60
    told = -1

    def over() -> bool:
        nonlocal told
        done = judge.closed()
        strike = schedule.strike_when_due(done / plan.runs)
        if done // 10 != told // 10 or strike:
            say(plan, f"{done} of {plan.runs} closed" + (f"; {strike.kind}" if strike else ""))
            told = done
        return done >= plan.runs or time.monotonic() > deadline

    there.supervisor.until(over, seconds=plan.minutes * 60 + 60, each=0.2)
    schedule.thaw()


def _idle(there: Installation) -> bool:
    return there.live() == 0 and not any(leaks(there, ()).values())


def _left(there: Installation, runs: set[str]) -> dict[str, int]:
    return leaks(there, runs)


def _verdicts(found: list[Finding]) -> dict[str, Any]:
    duplicated = [finding for finding in found if finding.doubled]
    incomplete = [finding for finding in found if finding.missing and not finding.doubled]
    return {
        "runs": len(found),
        "exact": len(found) - len(duplicated) - len(incomplete),
        "incomplete": len(incomplete),
        "duplicated": len(duplicated),
        "findings": [
            f"{finding.task.repository}#{finding.task.number}: {', '.join(finding.missing + finding.doubled)}"
            for finding in (*duplicated, *incomplete)
        ][:20],
    }
