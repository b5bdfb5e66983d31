"""A run's life without Celery, forge and sandbox: the stages as puppets do them, and the messages between them."""

from typing import NamedTuple

from entropy.errors import RateLimited, StaleGeneration, TransientError
from entropy.lifecycle.conclude import conclude
from entropy.lifecycle.task import failed
from entropy.models import Envelope, Outcome, Run, Stage, Verdict, WorkItem
from entropy.settings import SchedulingSettings
from entropy.state.claims import Claims
from entropy.state.connection import RedisConnection
from entropy.state.intents import Intents
from entropy.state.runs import Admission, Begin, Lease, Runs
from tests.integration.state.conftest import KEYS
from tests.integration.state.ledger import GRACE, LEASE, TICK, Ledger, Outside
from tests.integration.state.puppet import Puppet

SETTINGS = SchedulingSettings(capacity=3, capacity_per_repository=2, lease=LEASE, dispatch_grace=GRACE, max_attempts=2)
PAUSE = 5.0
INSIDE = frozenset({"inside", "act", "record", "intend", "recorded"})
"""The points inside a stage's function, where an error of the outside can show."""


class Message(NamedTuple):
    """What lies in a queue; the canvas makes the next one of it."""

    envelope: Envelope
    stage: Stage

    def next(self) -> "Message":
        return self._replace(stage=list(Stage)[self.stage.position + 1])


class Installation:
    """Redis with the real scripts, the queue, the outside, and the ledger that watches them."""

    def __init__(self, connection: RedisConnection) -> None:
        self.connection = connection
        self.runs = Runs(connection, KEYS, SETTINGS)
        self.claims = Claims(connection, KEYS)
        self.outside = Outside()
        self.ledger = Ledger()
        self.queue: list[Message] = []
        self.leases: dict[Puppet, Lease] = {}
        self.loses_an_answer = False

    # -- what starts runs, and what takes them up -------------------------------------------------------------------

    def discover(self, item: WorkItem, role: str, *, lost: bool = False) -> None:
        """Admit what a label hands to a role, if there is room; the message of it may get lost."""
        there = [page.run for page in self.ledger.pages.values() if self.ledger.live(page.run.id)]
        siblings = [run for run in there if run.item.repository == item.repository]
        admission, run_id = self.runs.admit(item, role, trigger="label")
        if any((run.item, run.role) == (item, role) for run in there):
            assert admission is Admission.EXISTS
        elif len(there) >= SETTINGS.capacity or len(siblings) >= SETTINGS.capacity_per_repository:
            assert admission is Admission.FULL
        else:
            assert admission is Admission.ADMITTED
            self.ledger.admitted(self.runs.get(run_id))
            self.send(run_id, lost=lost)

    def send(self, run_id: str, *, lost: bool = False) -> None:
        if not lost:
            run = self.runs.get(run_id)
            self.queue.append(Message(Envelope(run.id, run.generation), run.stage))

    def taken_up(self, envelope: Envelope, *, lost: bool = False) -> None:
        self.ledger.taken_up(*envelope)
        self.send(envelope.run_id, lost=lost)

    def pass_time(self) -> None:
        """A tick, without waiting for it: every time that Redis has noted is moved into the past.

        Overdue runs come in the order of their admission, so that Hypothesis finds again what it has found.
        """
        self.ledger.now += TICK
        now = self.connection.now()
        for place, (run_id, page) in enumerate(self.ledger.pages.items()):
            if self.ledger.live(run_id):
                due = int((now + page.due - self.ledger.now) * 1000) + place
                self.connection.redis.zadd(KEYS.live, {run_id: due})
                if page.holder is not None:
                    self.connection.redis.hincrby(KEYS.run(run_id), "lease_until", -int(TICK * 1000))

    # -- a worker ---------------------------------------------------------------------------------------------------

    def work(self, message: Message, puppet: Puppet) -> None:
        """What `StageTask.step` does with a message."""
        status, lease = self.runs.begin(message.envelope, message.stage)
        self.ledger.began(*message.envelope, message.stage, status, puppet)
        if status is Begin.PASSED:
            self._follow(message)
        if lease is None:
            return
        self.leases[puppet] = lease
        puppet.reach("begun")
        try:
            after, wait, refund = self._done(lease.run, puppet)
            puppet.reach("worked")
            self._advance(lease, after, puppet, wait=wait, refund=refund)
        except StaleGeneration:
            return
        puppet.reach("advanced")
        if after.stage is not lease.run.stage:
            self._follow(message)

    def _follow(self, message: Message) -> None:
        if message.stage is not Stage.CLEANUP:
            self.queue.append(message.next())

    def _done(self, run: Run, puppet: Puppet) -> tuple[Run, float, bool]:
        """The run after its stage, and for a further try after how long, and whether this one counts."""
        if run.attempts > SETTINGS.max_attempts:
            return self._onward(run, failed(run, "too often")), 0, False
        try:
            return self._onward(run, self._perform(run, puppet)), 0, False
        except TransientError as error:
            if run.attempts < SETTINGS.max_attempts:
                return run, PAUSE, isinstance(error, RateLimited)
            return self._onward(run, failed(run, str(error))), 0, False

    def _onward(self, run: Run, after: Run) -> Run:
        return after if after.stage is not run.stage else after.evolve(stage=list(Stage)[run.stage.position + 1])

    def _advance(self, lease: Lease, after: Run, puppet: Puppet, *, wait: float, refund: bool) -> None:
        saved = False
        try:
            self.runs.advance(lease, after, wait=wait, refund=refund)
            saved = True
        finally:
            self.ledger.advanced(lease.run, puppet, after.stage, saved=saved, wait=wait, refund=refund)
        if self.loses_an_answer:
            self.loses_an_answer = False
            self._advance(lease, after, puppet, wait=wait, refund=refund)

    def _perform(self, run: Run, puppet: Puppet) -> Run:
        if run.stage is Stage.EXECUTE:
            self.ledger.pays(run, puppet)
        puppet.reach("inside")
        if run.stage is Stage.CLAIM:
            return self._claim(run, puppet)
        if run.stage is Stage.EXECUTE:
            return run.evolve(outcome=Outcome(verdict=Verdict.CHANGED, summary="done"))
        if run.stage is Stage.REPORT:
            return self._report(run, puppet)
        if run.stage is Stage.CLEANUP:
            self.claims.release(run)
            self.ledger.released(run)
            puppet.reach("inside")
            self._intents(run, puppet).drop(run.id)
        return run

    def _claim(self, run: Run, puppet: Puppet) -> Run:
        try:
            taken = self.claims.take(run)
        except StaleGeneration:
            self.ledger.claimed(run, puppet, None)
            raise
        self.ledger.claimed(run, puppet, taken)
        if not taken:
            return conclude(run, Verdict.SUPERSEDED, "another run has it")
        self._once(run, "status", puppet)
        return run

    def _report(self, run: Run, puppet: Puppet) -> Run:
        assert run.outcome is not None
        if run.outcome.verdict is Verdict.SUPERSEDED:
            return run
        for name in ("pull_request", "release") if run.outcome.verdict is Verdict.CHANGED else ("release",):
            self._once(run, name, puppet)
        return run

    def _once(self, run: Run, name: str, puppet: Puppet) -> None:
        result = self._intents(run, puppet).once(run, name, lambda: self.outside.ensure(run, name))
        self.ledger.did(run, name, result)

    def _intents(self, run: Run, puppet: Puppet) -> Intents:
        def reached(point: str) -> None:
            name, _, step = point.rpartition(".")
            if step == "act":
                self.ledger.acts(run, name, puppet)
            if step == "recorded" and run.id in self.ledger.pages:
                self.ledger.did(run, name, self.outside.made[run.item, run.role, name])
            puppet.reach(step)

        return Intents(self.connection, KEYS, reached=reached)
