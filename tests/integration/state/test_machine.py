"""The state machine of a run: any order of workers, reapers, crashes, lost messages and operators keeps its laws."""

import os
import sys
from collections.abc import Collection, Iterator

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from entropy.errors import IllegalStep, RateLimited, TransientError
from entropy.lifecycle.conclude import conclude
from entropy.models import Envelope, Run, Stage, Verdict, WorkItem
from entropy.state.connection import RedisConnection, text
from tests.integration.state.conftest import KEYS
from tests.integration.state.ledger import GRACE
from tests.integration.state.puppet import Killed, Puppet
from tests.integration.state.staging import INSIDE, SETTINGS, Installation, Message

WORKERS = 3
ITEMS = (
    WorkItem(repository="acme/widgets", number=12),
    WorkItem(repository="acme/widgets", number=13),
    WorkItem(repository="acme/gadgets", number=7),
)
WISHES = [(item, role) for item in ITEMS for role in ("coder", "reviewer")]
ROUNDS = 60
"""Ticks after which everything has ended once nothing goes wrong any more."""

numbers = st.integers(0, 5)
FROZEN = ["", "begun", "inside", "act", "record", "worked"]


class Machine(RuleBasedStateMachine):
    """Three workers, two reapers, an operator, and everything that can go wrong between them."""

    def __init__(self, connection: RedisConnection) -> None:
        super().__init__()
        connection.redis.flushdb()
        self.all = Installation(connection)
        self.all.outside.labels.update(WISHES)
        self.busy: list[Puppet] = []
        self.taken: dict[Puppet, Message] = {}
        self.reapers: dict[int, Iterator[Envelope]] = {}
        self.looked_at: Run | None = None

    # -- scheduler and queue

    @initialize(wish=st.sampled_from(WISHES), stages=st.integers(0, 4), frozen=st.sampled_from(FROZEN))
    def start(self, wish: tuple[WorkItem, str], stages: int, frozen: str) -> None:
        """One run has come to some stage, and a worker is at it; or it stands still and others have ended its run."""
        self.all.discover(*wish)
        if stages:
            self.work_without_trouble(number=0, stages=stages)
        self._take(self._message(0))
        if frozen:
            self.overtake(number=0, point=frozen)

    @rule(wish=st.sampled_from(WISHES), lost=st.booleans())
    def discover(self, wish: tuple[WorkItem, str], lost: bool) -> None:
        if wish in self.all.outside.labels:
            self.all.discover(*wish, lost=lost)

    @precondition(lambda self: self.all.queue)
    @rule(number=numbers, copies=st.sampled_from([0, 2]))
    def lose_or_double_a_message(self, number: int, copies: int) -> None:
        self.all.queue += [self._message(number)] * copies

    # -- workers

    @precondition(lambda self: self.all.queue and len(self.busy) < WORKERS)
    @rule(number=numbers)
    def take_a_message(self, number: int) -> None:
        self._take(self._message(number))

    @precondition(lambda self: self.all.queue and len(self.busy) < WORKERS)
    @rule(number=numbers, stages=st.integers(1, 3))
    def work_without_trouble(self, number: int, stages: int) -> None:
        message: Message | None = self._message(number)
        while message is not None and stages > 0:
            before, stages = len(self.all.queue), stages - 1
            self._go_to_the_end(self._take(message))
            message = self.all.queue.pop() if len(self.all.queue) > before else None
        self.all.queue += [message] if message else []

    @precondition(lambda self: self.busy)
    @rule(number=numbers, points=st.integers(1, 4))
    def go_on(self, number: int, points: int) -> None:
        puppet = self._puppet(number)
        while points > 0 and not puppet.over:
            self._go(puppet)
            points -= 1

    @precondition(lambda self: self.busy)
    @rule(number=numbers, point=st.sampled_from(["begun", "act", "record", "recorded", "worked", "advanced"]))
    def die(self, number: int, point: str) -> None:
        puppet = self._puppet(number)
        if self._go_to(puppet, {point}):
            self._go(puppet, Killed())

    @precondition(lambda self: self.busy)
    @rule(number=numbers, error=st.sampled_from([TransientError, RateLimited]), answer=st.booleans())
    def meet_an_error(self, number: int, error: type[TransientError], answer: bool) -> None:
        """The stage is to be tried again; when that is saved the answer may get lost, and it is saved once more."""
        puppet = self._puppet(number)
        if self._go_to(puppet, INSIDE):
            self.all.loses_an_answer = not answer
            self._go(puppet, error())

    @precondition(lambda self: self.busy)
    @rule(number=numbers, stops=st.booleans())
    def renew(self, number: int, stops: bool) -> None:
        """A worker whose lease is lost is stopped, in some pools; in others it goes on."""
        puppet = self._puppet(number)
        lease = self.all.leases[puppet]
        ours = self.all.runs.renew(lease)
        self.all.ledger.renewed(lease.run, puppet, ours)
        if stops and not ours:
            self._go(puppet, Killed())

    @rule()
    def lose_an_answer(self) -> None:
        """Whoever saves next hears nothing of it, and asks again."""
        self.all.loses_an_answer = True

    # -- time, reapers, Redis, operator

    @rule(ticks=st.integers(1, 3), restart=st.booleans())
    def pass_time(self, ticks: int, restart: bool) -> None:
        """Redis may have restarted meanwhile: from its append-only file it comes back as it was, but for scripts."""
        for _ in range(ticks):
            self.all.pass_time()
        if restart:
            self.all.connection.redis.script_flush()

    @rule()
    def freeze_all(self) -> None:
        """Whoever is at work stands still beyond the lease, and a reaper looks."""
        self.pass_time(ticks=3, restart=False)
        self.reap()

    @rule(reaper=st.integers(0, 1), lost=st.booleans())
    def reap_one(self, reaper: int, lost: bool) -> None:
        """The next of those that this reaper saw when it looked; it may die before it sends the message."""
        if reaper not in self.reapers:
            self.reapers[reaper] = self.all.runs.overdue()
        envelope = next(self.reapers[reaper], None)
        if envelope is None:
            del self.reapers[reaper]
        else:
            self.all.taken_up(envelope, lost=lost)

    @rule()
    def reap(self) -> None:
        overdue = self.all.ledger.overdue()
        for envelope in self.all.runs.overdue():
            overdue.remove(envelope.run_id)
            self.all.taken_up(envelope)
        assert not overdue, "who looks finds everything that is overdue"

    @precondition(lambda self: self.busy)
    @rule(number=numbers, point=st.sampled_from(FROZEN[1:]))
    def overtake(self, number: int, point: str) -> None:
        """One worker stands still at a point until others have brought its run to the end."""
        puppet = self._puppet(number)
        if self._go_to(puppet, {point}):
            self.freeze_all()
            self._finish(self.all.leases[puppet].run.id)

    @precondition(lambda self: self.busy)
    @rule(number=numbers, ticks=st.integers(0, 2))
    def rival(self, number: int, ticks: int) -> None:
        """The message that one worker has is delivered once more, sooner or later, to another."""
        message = self.taken[self._puppet(number)]
        self.pass_time(ticks=ticks, restart=False)
        self._take(message)

    @precondition(lambda self: self.all.ledger.pages)
    @rule(number=numbers)
    def operator_looks(self, number: int) -> None:
        pages = list(self.all.ledger.pages)
        self.looked_at = self.all.runs.get(pages[number % len(pages)])

    @precondition(lambda self: self.looked_at and self.looked_at.stage is not Stage.DONE)
    @rule(verdict=st.sampled_from([Verdict.CANCELLED, Verdict.PARKED, None]), late=st.booleans())
    def operator_decides(self, verdict: Verdict | None, late: bool) -> None:
        """None is a retry. What was looked at may be past by now."""
        before, self.looked_at = self.looked_at, None
        assert before is not None
        if late:
            self._finish(before.id, stages=1)
        if verdict and before.stage.position >= Stage.REPORT.position:
            return
        after = conclude(before, verdict, "an operator") if verdict else before
        try:
            sent = self.all.runs.intervene(before, after)
        except IllegalStep:
            self.all.ledger.intervened(before, after.stage, False)
        else:
            self.all.ledger.intervened(before, after.stage, True)
            self.all.send(sent.id)

    # -- laws

    @invariant()
    def redis_agrees_with_the_ledger(self) -> None:
        ledger, pages = self.all.ledger, self.all.ledger.pages
        with self.all.connection.redis.pipeline(transaction=False) as ask:
            ask.time().zrange(KEYS.live, 0, -1, withscores=True)
            for item in ITEMS:
                ask.get(KEYS.claim(item))
            for run_id in pages:
                ask.hgetall(KEYS.run(run_id))
            (seconds, _), live, *answers = ask.execute()
        claims, records = answers[: len(ITEMS)], answers[len(ITEMS) :]
        assert {item: text(held) for item, held in zip(ITEMS, claims, strict=True) if held} == ledger.claims
        due = {text(run_id): score / 1000 - seconds for run_id, score in live}
        assert set(due) == {run_id for run_id in pages if ledger.live(run_id)}
        for page, record in zip(pages.values(), records, strict=True):
            assert (text(record[b"stage"]), int(record[b"generation"])) == (page.stage, page.generation)
            assert {stage: int(record[f"tries:{stage}".encode()]) for stage in page.tries} == page.tries
            assert page.paid <= SETTINGS.max_attempts, "tries are bounded"
        for run_id, left in due.items():
            assert abs(left - (pages[run_id].due - ledger.now)) < GRACE / 10

    # -- the end: nothing goes wrong any more

    def teardown(self) -> None:
        if sys.exc_info()[0] is not None:  # a law is broken already; what comes after says nothing
            while self.busy:
                self._go(self.busy[0], Killed())
            return
        for puppet in list(self.busy):
            self._go_to_the_end(puppet)
        rounds = 0
        while self.all.outside.labels or self.all.runs.live():
            rounds += 1
            assert rounds < ROUNDS, f"not ended: {self.all.ledger.pages}"
            for wish in sorted(self.all.outside.labels, key=str):
                self.all.discover(*wish)
            while self.all.queue:
                self._go_to_the_end(self._take(self._message(0)))
            self.all.pass_time()
            self.reap()
            self.redis_agrees_with_the_ledger()
        self._nothing_is_left()

    def _nothing_is_left(self) -> None:
        """Records of finished runs stay for a while; a key without an end is a leak."""
        redis = self.all.connection.redis
        lasting = {text(key) for key in redis.scan_iter(f"{KEYS.prefix}:*") if redis.ttl(key) == -1}
        # A cleanup that failed too often leaves its claim; whoever wants the item takes it over.
        assert lasting <= {KEYS.finished, *map(KEYS.claim, self.all.ledger.claims)}
        assert self.all.outside.makings == len(self.all.outside.made)

    # -- hands

    def _message(self, number: int) -> Message:
        return self.all.queue.pop(number % len(self.all.queue))

    def _puppet(self, number: int) -> Puppet:
        return self.busy[number % len(self.busy)]

    def _take(self, message: Message) -> Puppet:
        puppet = Puppet(lambda puppet: self.all.work(message, puppet))
        if not puppet.over:
            self.busy.append(puppet)
            self.taken[puppet] = message
        return puppet

    def _finish(self, run_id: str, *, stages: int = len(Stage)) -> None:
        """Have what lies in the queue for a run worked on without trouble."""
        while stages and (messages := [each for each in self.all.queue if each.envelope.run_id == run_id]):
            self.all.queue.remove(messages[-1])
            self._go_to_the_end(self._take(messages[-1]))
            stages -= 1

    def _go_to(self, puppet: Puppet, points: Collection[str]) -> bool:
        while not puppet.over and puppet.at not in points:
            self._go(puppet)
        return not puppet.over

    def _go_to_the_end(self, puppet: Puppet) -> None:
        while not puppet.over:
            self._go(puppet)

    def _go(self, puppet: Puppet, order: BaseException | None = None) -> None:
        try:
            puppet.go(order)
        finally:
            if puppet.over:
                self.busy.remove(puppet)


class Forgetful(Machine):
    """The same, and Redis loses everything that it holds."""

    @rule()
    def lose_everything(self) -> None:
        self.all.connection.redis.flushall()
        self.all.ledger.forget()


def profile(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=60,
        deadline=None,
        derandomize=bool(os.environ.get("CI")),
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def test_any_order_of_events_keeps_the_laws_of_a_run(connection: RedisConnection) -> None:
    run_state_machine_as_test(lambda: Machine(connection), settings=profile(70))


def test_a_redis_that_loses_everything_breaks_no_law(connection: RedisConnection) -> None:
    run_state_machine_as_test(lambda: Forgetful(connection), settings=profile(40))
