"""Run records in Redis: the truth about every run, changed only by Lua scripts on the Redis server's clock."""

import uuid
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from entropy.errors import IllegalStep, StaleGeneration
from entropy.models import Envelope, Run, Stage, WorkItem
from entropy.settings import SchedulingSettings
from entropy.state.connection import RedisConnection, text
from entropy.state.keys import Keys
from entropy.state.steps import check_step

SCHEMA = 1
"""Version of the record. A record of a newer version is left alone."""
FIELDS = {"stage", "generation", "tries"}
"""What the scripts keep in fields of their own, and not in the record."""
TRIES = "tries:"
LONGEST_GRACE = 300_000
"""Milliseconds after which a message that nobody took is sent again at the latest."""


class Admission(StrEnum):
    """What became of the wish to start a run."""

    ADMITTED = "admitted"
    EXISTS = "exists"
    HELD = "held"
    FULL = "full"


class Begin(StrEnum):
    """What became of the wish to begin a stage."""

    BEGUN = "begun"
    PASSED = "passed"  # the run is beyond this stage already
    EARLY = "early"  # the run has not reached this stage
    STALE = "stale"  # the message is of an older generation
    LEASED = "leased"  # another worker is at it
    MISSING = "missing"
    NEWER = "newer"  # the record is of a version that this worker does not know


class Lease(NamedTuple):
    """The right to work on the present stage of a run, until it is no longer renewed."""

    run: Run
    owner: str


class Runs:
    """All runs of an installation."""

    def __init__(self, connection: RedisConnection, keys: Keys, settings: SchedulingSettings) -> None:
        self._connection = connection
        self._redis = connection.redis
        self._keys = keys
        self._settings = settings
        self._admit = connection.script("admit")
        self._begin = connection.script("begin")
        self._renew = connection.script("renew")
        self._advance = connection.script("advance")
        self._redispatch = connection.script("redispatch")
        self._intervene = connection.script("intervene")

    def admit(self, item: WorkItem, role: str, *, trigger: str | None = None) -> tuple[Admission, str]:
        """Save a new run if there is room; without a trigger a person asks, and room and holds do not count.

        Returns what happened and the id of the run that now exists, if one does.
        """
        run = Run(id=uuid.uuid4().hex, item=item, role=role, created=self._connection.now(), trigger=trigger)
        by_hand = trigger is None
        limits = (self._settings.capacity, self._settings.capacity_per_repository)
        capacity, per_repository = (2**31, 2**31) if by_hand else limits
        with self._connection.translated():
            status, run_id = self._admit(
                keys=[
                    self._keys.run(run.id),
                    self._keys.active(item, role),
                    self._keys.live,
                    self._keys.live_of(item.repository),
                    self._keys.hold(item, role),
                ],
                args=[
                    run.id,
                    _record(run),
                    run.stage,
                    capacity,
                    per_repository,
                    self._grace,
                    0 if by_hand else 1,
                    SCHEMA,
                ],
            )
        return Admission(text(status)), text(run_id)

    def begin(self, envelope: Envelope, stage: Stage) -> tuple[Begin, Lease | None]:
        """Take the lease on a stage, if the message is current and nobody else has it."""
        run_id, generation = envelope
        owner = uuid.uuid4().hex
        with self._connection.translated():
            answer = self._begin(
                keys=[self._keys.run(run_id), self._keys.live],
                args=[run_id, generation, stage, owner, self._lease, SCHEMA],
            )
        status = text(answer[0])
        if status == "elsewhere":
            reached = Stage(text(answer[1]))
            return (Begin.PASSED if reached.position > stage.position else Begin.EARLY), None
        if status != Begin.BEGUN:
            return Begin(status), None
        return Begin.BEGUN, Lease(self.get(run_id), owner)

    def renew(self, lease: Lease) -> bool:
        """Prolong a lease; False when it is no longer ours."""
        with self._connection.translated():
            answer = self._renew(
                keys=[self._keys.run(lease.run.id), self._keys.live],
                args=[lease.run.id, lease.run.generation, lease.owner, self._lease],
            )
        return bool(answer)

    def advance(self, lease: Lease, after: Run, *, wait: float = 0, refund: bool = False) -> None:
        """Save `after` and give the lease back; raises `StaleGeneration` when it was lost meanwhile.

        `wait`: seconds after which the reaper is to send the run again, if no message of it is on its way; zero means
        that one is. `refund`: this was no try.
        """
        before = lease.run
        check_step(before, after.stage)
        with self._connection.translated():
            saved = self._advance(
                keys=[
                    self._keys.run(before.id),
                    self._keys.live,
                    self._keys.live_of(before.item.repository),
                    self._keys.active(before.item, before.role),
                    self._keys.finished,
                ],
                args=[
                    before.id,
                    before.generation,
                    lease.owner,
                    before.stage,
                    after.stage,
                    _record(after),
                    int(wait * 1000) or self._grace,
                    int(self._settings.retention),
                    1 if refund else 0,
                ],
            )
        if not saved:
            raise StaleGeneration

    def guard(self, run: Run) -> None:
        """Raise `StaleGeneration` unless `run` is of the present generation; call it before each outside write."""
        with self._connection.translated():
            generation = self._redis.hget(self._keys.run(run.id), "generation")
        if generation is None or int(generation) != run.generation:
            raise StaleGeneration

    def intervene(self, before: Run, after: Run) -> Run:
        """Send an unfinished run to `after`'s stage in a new generation, whoever is at work on it."""
        check_step(before, after.stage)
        with self._connection.translated():
            generation = self._intervene(
                keys=[self._keys.run(before.id), self._keys.live],
                args=[before.id, before.generation, before.stage, _record(after), after.stage, self._grace],
            )
        if not generation:
            raise IllegalStep(f"Run {before.id} has just moved on; look at it again.")
        return self.get(before.id)

    def overdue(self) -> Iterator[Envelope]:
        """Take up every run whose lease or dispatch has run out; yields the new envelope of each."""
        now = int(self._connection.now() * 1000)
        with self._connection.translated():
            for run_id in map(text, self._redis.zrangebyscore(self._keys.live, "-inf", now)):
                keys = [self._keys.run(run_id), self._keys.live]
                generation = self._redispatch(keys=keys, args=[run_id, self._grace, LONGEST_GRACE, SCHEMA])
                if generation:
                    yield Envelope(run_id, int(generation))

    def get(self, run_id: str) -> Run:
        """Read a run; raises `IllegalStep` when there is none of this id."""
        with self._connection.translated():
            fields = self._redis.hgetall(self._keys.run(run_id))
        if not fields:
            raise IllegalStep(f"There is no run {run_id}; list them with: celery -A entropy runs list")
        version = int(fields[b"schema"])
        if version > SCHEMA:
            raise IllegalStep(
                f"Run {run_id} was written by a newer Entropy (record version {version}, this one knows {SCHEMA}); "
                "update this one."
            )
        run = Run.model_validate_json(fields[b"record"])
        return run.evolve(
            stage=Stage(text(fields[b"stage"])),
            generation=int(fields[b"generation"]),
            tries={
                Stage(text(name).removeprefix(TRIES)): int(value)
                for name, value in fields.items()
                if text(name).startswith(TRIES)
            },
        )

    def active(self, item: WorkItem, role: str) -> str | None:
        """The id of the unfinished run of this role on this item."""
        with self._connection.translated():
            found = self._redis.get(self._keys.active(item, role))
        return None if found is None else text(found)

    def live(self) -> frozenset[str]:
        """Ids of all unfinished runs."""
        with self._connection.translated():
            return frozenset(map(text, self._redis.zrange(self._keys.live, 0, -1)))

    def live_names(self) -> frozenset[str]:
        """The present envelope of each unfinished run, as sandboxes are named after them."""
        ids = sorted(self.live())
        with self._connection.translated(), self._redis.pipeline(transaction=False) as pipeline:
            for run_id in ids:
                pipeline.hget(self._keys.run(run_id), "generation")
            generations = pipeline.execute()
        return frozenset(
            str(Envelope(run_id, int(generation)))
            for run_id, generation in zip(ids, generations, strict=True)
            if generation
        )

    def finished(self, count: int) -> tuple[str, ...]:
        """Ids of the runs that finished last, the latest first."""
        if count < 1:  # Redis would take it for all of them
            return ()
        with self._connection.translated():
            return tuple(map(text, self._redis.zrevrange(self._keys.finished, 0, count - 1)))

    @property
    def _lease(self) -> int:
        return int(self._settings.lease * 1000)

    @property
    def _grace(self) -> int:
        return int(self._settings.dispatch_grace * 1000)


def _record(run: Run) -> str:
    return run.model_dump_json(exclude=FIELDS)
