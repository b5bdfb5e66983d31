"""What the workers' own logs say: which process began which stage when, how that ended, and what killed it."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

ENDS = {
    "stage finished": "finished",
    "stage will be tried again": "tried again",
    "a newer generation took over; stopped": "lost",
}


class Strike(NamedTuple):
    """One blow of the schedule: what, when (seconds since the epoch), and which processes it hit."""

    kind: str
    at: float
    pids: frozenset[int] = frozenset()
    until: float = 0
    """End of an outage or of a freeze."""


@dataclass
class Execution:
    """One time that a stage was begun."""

    run: str
    item: str
    role: str
    stage: str
    generation: int
    pid: int
    started: float
    ended: float | None = None
    ending: str | None = None
    why: str = ""

    @property
    def work(self) -> tuple[str, str]:
        return self.item, self.role

    def open_at(self, moment: float) -> bool:
        return self.started <= moment and (self.ended is None or self.ended > moment)


def executions(logs: Path) -> list[Execution]:
    """Every beginning of a stage in the logs of all workers, in the order of time."""
    found: list[Execution] = []
    for log in sorted(logs.glob("*.log")):
        if log.name.startswith(("control", "sandbox")):
            found += _of(log)
    return sorted(found, key=lambda execution: execution.started)


def _of(log: Path) -> Iterable[Execution]:
    at_work: dict[tuple[int, str], Execution] = {}
    for text in log.read_text(errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue  # the last words of a killed process
        if not isinstance(line, dict) or "stage" not in line or "generation" not in line:
            continue
        moment, key = _moment(line), (int(line["process"]), str(line["run_id"]))
        if line["message"] == "stage started":
            execution = Execution(
                line["run_id"], line["item"], line["role"], line["stage"], line["generation"], key[0], moment
            )
            at_work[key] = execution
            yield execution
        elif line["message"] in ENDS and key in at_work:
            execution = at_work.pop(key)
            execution.ended, execution.ending = moment, ENDS[line["message"]]
            execution.why = str(line.get("why", ""))


def _moment(line: dict[str, object]) -> float:
    return datetime.strptime(str(line["time"]), "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp()


def repeated(all_: Sequence[Execution], strikes: Sequence[Strike]) -> Counter[str]:
    """Executions of a stage of a run beyond its first, by what had become of the one before."""
    reasons: Counter[str] = Counter()
    before: dict[tuple[str, str], Execution] = {}
    for execution in all_:
        key = execution.run, execution.stage
        if key in before:
            reasons[_why(before[key], execution, strikes)] += 1
        before[key] = execution
    return reasons


def _why(before: Execution, after: Execution, strikes: Sequence[Strike]) -> str:
    if before.ending == "tried again":
        return f"tried again: {_category(before.why)}"
    hits = [strike for strike in strikes if before.pid in strike.pids and before.open_at(strike.at)]
    if hits:
        return f"{hits[0].kind}"
    upset = ("redis kill", "redis outage", "redis flush")
    if any(s.kind in upset and before.started - 15 <= s.at <= after.started for s in strikes):
        return "after a Redis fault"
    return f"{before.ending or 'open'}, not by a strike"


def _category(why: str) -> str:
    for name, pattern in (("redis", r"Redis at"), ("rate limit", r"asks to wait"), ("handed back", r"handed back")):
        if re.search(pattern, why):
            return name
    return "forge"


def runs_beyond_first(all_: Sequence[Execution]) -> int:
    """Runs of a role on an item beyond the first."""
    runs: dict[tuple[str, str], set[str]] = defaultdict(set)
    for execution in all_:
        runs[execution.work].add(execution.run)
    return sum(len(ids) - 1 for ids in runs.values())


class Recovery(NamedTuple):
    """From a blow that hit a running stage until that role goes on with that item."""

    strike: Strike
    execution: Execution
    seconds: float | None
    redis: str
    """What became of Redis meanwhile: ``up``, ``away`` or ``flushed``."""


def recoveries(all_: Sequence[Execution], strikes: Sequence[Strike]) -> list[Recovery]:
    by_work: dict[tuple[str, str], list[Execution]] = defaultdict(list)
    for execution in all_:
        by_work[execution.work].append(execution)
    found = []
    for strike in (s for s in strikes if s.pids):
        for hit in (e for e in all_ if e.pid in strike.pids and e.open_at(strike.at)):
            if hit.ending == "finished" and strike.until:  # frozen, and nobody missed it
                continue
            later = [e.started for e in by_work[hit.work] if e.started > strike.at]
            redis = _redis(strikes, strike.at, later[0] if later else strike.at)
            found.append(Recovery(strike, hit, later[0] - strike.at if later else None, redis))
    return found


def _redis(strikes: Sequence[Strike], start: float, stop: float) -> str:
    if any(s.kind == "redis flush" and start - 1 < s.at < stop for s in strikes):
        return "flushed"
    away = [(s.at, s.until or s.at + 1) for s in strikes if s.kind in {"redis outage", "redis kill", "everything"}]
    return "away" if any(begin < stop and start < end for begin, end in away) else "up"


def quantiles(seconds: Iterable[float]) -> dict[str, float | int]:
    ordered = sorted(seconds)
    if not ordered:
        return {"count": 0}

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)

    return {"count": len(ordered), "p50": at(0.5), "p95": at(0.95), "max": round(ordered[-1], 2)}
