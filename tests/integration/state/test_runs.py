"""Run records: what the Lua scripts promise, against a real Redis."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from entropy.errors import IllegalStep, StaleGeneration, StateUnavailable
from entropy.models import Envelope, Outcome, Run, Stage, Verdict, WorkItem
from entropy.settings import RedisSettings, SchedulingSettings
from entropy.state.claims import Claims
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys
from entropy.state.runs import Admission, Begin, Lease, Runs
from tests.integration.state.conftest import KEYS

ITEM = WorkItem(repository="acme/widgets", number=12)


def item(number: int, repository: str = "acme/widgets") -> WorkItem:
    return WorkItem(repository=repository, number=number)


def admitted(runs: Runs, which: WorkItem = ITEM, role: str = "coder") -> Envelope:
    admission, run_id = runs.admit(which, role, trigger="entropy:code")
    assert admission is Admission.ADMITTED
    return Envelope(run_id, 1)


def begun(runs: Runs, envelope: Envelope, stage: Stage = Stage.INITIALIZE) -> Lease:
    status, lease = runs.begin(envelope, stage)
    assert status is Begin.BEGUN
    assert lease is not None
    return lease


def together(calls: Iterable[Callable[[], object]]) -> list[object]:
    with ThreadPoolExecutor(16) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def wait_until(condition: Callable[[], object], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.01)


def test_a_run_survives_the_way_through_redis(runs: Runs) -> None:
    envelope = admitted(runs)
    run = runs.get(envelope.run_id)
    assert (run.item, run.role, run.stage, run.generation, run.attempts) == (ITEM, "coder", Stage.INITIALIZE, 1, 0)
    assert run.trigger == "entropy:code"


def test_of_many_who_want_the_same_item_one_is_admitted(runs: Runs) -> None:
    answers = together([lambda: runs.admit(ITEM, "coder", trigger="entropy:code")] * 20)
    assert sorted(str(admission) for admission, _ in answers) == ["admitted"] + ["exists"] * 19
    assert len({run_id for _, run_id in answers}) == 1
    assert len(runs.live()) == 1


def test_room_is_never_exceeded(runs: Runs) -> None:
    wishes = [item(number, f"acme/{number % 5}") for number in range(1, 31)]
    answers = together(lambda wish=wish: runs.admit(wish, "coder", trigger="x")[0] for wish in wishes)
    assert answers.count(Admission.ADMITTED) == 3
    assert len(runs.live()) == 3


def test_one_repository_cannot_take_all_the_room(runs: Runs) -> None:
    admissions = [runs.admit(item(number), "coder", trigger="x")[0] for number in (1, 2, 3)]
    assert admissions == [Admission.ADMITTED, Admission.ADMITTED, Admission.FULL]
    assert runs.admit(item(1, "acme/other"), "coder", trigger="x")[0] is Admission.ADMITTED


def test_a_person_needs_no_room(runs: Runs) -> None:
    for number in (1, 2, 3, 4):
        assert runs.admit(item(number), "coder")[0] is Admission.ADMITTED


def test_of_many_messages_for_a_stage_one_begins_it(runs: Runs) -> None:
    envelope = admitted(runs)
    answers = together([lambda: runs.begin(envelope, Stage.INITIALIZE)[0]] * 20)
    assert sorted(map(str, answers)) == ["begun"] + ["leased"] * 19


def test_a_message_knows_its_place(runs: Runs) -> None:
    envelope = admitted(runs)
    assert runs.begin(envelope, Stage.EXECUTE)[0] is Begin.EARLY
    assert runs.begin(Envelope(envelope.run_id, 7), Stage.INITIALIZE)[0] is Begin.STALE
    assert runs.begin(Envelope("nobody", 1), Stage.INITIALIZE)[0] is Begin.MISSING
    lease = begun(runs, envelope)
    runs.advance(lease, lease.run.evolve(stage=Stage.CLAIM))
    assert runs.begin(envelope, Stage.INITIALIZE)[0] is Begin.PASSED


def test_a_renewed_lease_is_not_overdue_and_an_abandoned_one_is(runs: Runs) -> None:
    lease = begun(runs, admitted(runs))
    deadline = time.monotonic() + 0.9  # three leases long
    while time.monotonic() < deadline:
        assert runs.renew(lease)
        assert list(runs.overdue()) == []
        time.sleep(0.05)
    found: list[Envelope] = []
    wait_until(lambda: found.extend(runs.overdue()) or found)
    assert found == [Envelope(lease.run.id, 2)]


def test_who_lost_the_lease_can_neither_renew_nor_save_nor_write(runs: Runs) -> None:
    lease = begun(runs, admitted(runs))
    wait_until(lambda: list(runs.overdue()))
    assert not runs.renew(lease)
    with pytest.raises(StaleGeneration):
        runs.advance(lease, lease.run.evolve(stage=Stage.CLAIM))
    with pytest.raises(StaleGeneration):
        runs.guard(lease.run)
    again = begun(runs, Envelope(lease.run.id, 2))
    runs.guard(again.run)
    assert again.run.attempts == 2


def test_two_reapers_that_saw_the_same_runs_take_each_up_once(runs: Runs, connection: RedisConnection) -> None:
    ids = {begun(runs, admitted(runs, item(number))).run.id for number in (1, 2)}
    after_both = connection.now() + 0.35
    wait_until(lambda: connection.now() > after_both)
    slow = runs.overdue()
    taken = [next(slow)]  # the slow reaper has seen both runs and taken one
    taken += runs.overdue()
    taken += slow
    assert {envelope.run_id for envelope in taken} == ids
    assert [envelope.generation for envelope in taken] == [2, 2]


def test_a_finished_run_frees_its_room_and_its_item(runs: Runs) -> None:
    envelope = admitted(runs)
    for stage in (Stage.INITIALIZE, Stage.CLAIM, Stage.EXECUTE, Stage.REPORT, Stage.CLEANUP):
        lease = begun(runs, envelope, stage)
        after = list(Stage)[stage.position + 1]
        outcome = Outcome(verdict=Verdict.CHANGED, summary="done")
        runs.advance(lease, lease.run.evolve(stage=after, outcome=outcome))
    assert runs.live() == frozenset()
    assert runs.finished(5) == (envelope.run_id,)
    assert runs.finished(0) == ()
    assert runs.get(envelope.run_id).outcome == outcome
    assert runs.admit(ITEM, "coder", trigger="x")[0] is Admission.ADMITTED


def test_a_run_never_goes_back(runs: Runs) -> None:
    lease = begun(runs, admitted(runs))
    runs.advance(lease, lease.run.evolve(stage=Stage.REPORT))
    later = begun(runs, Envelope(lease.run.id, 1), Stage.REPORT)
    with pytest.raises(IllegalStep, match="cannot go from report to execute"):
        runs.advance(later, later.run.evolve(stage=Stage.EXECUTE))


def test_two_runs_race_for_one_item_and_one_has_it(runs: Runs, claims: Claims) -> None:
    rivals = [runs.get(admitted(runs, role=role).run_id) for role in ("coder", "reviewer")]
    taken = together([lambda run=run: (run.id, claims.take(run)) for run in rivals * 8])
    winners = {run_id for run_id, won in taken if won}
    assert len(winners) == 1
    loser = next(run for run in rivals if run.id not in winners)
    winner = next(run for run in rivals if run.id in winners)
    claims.release(loser)
    assert not claims.take(loser)
    claims.release(winner)
    assert claims.take(loser)


def test_a_missing_redis_is_one_sentence_without_the_password() -> None:
    connection = RedisConnection(RedisSettings(url="redis://:geheim@127.0.0.1:1/0"))
    runs = Runs(connection, Keys("test"), SchedulingSettings())
    with pytest.raises(StateUnavailable, match=r"Redis at 127\.0\.0\.1:1/0 does not answer; start it or set") as caught:
        runs.admit(ITEM, "coder")
    assert "geheim" not in str(caught.value)
    connection.close()


def test_a_record_of_a_newer_version_is_left_alone(runs: Runs, connection: RedisConnection) -> None:
    envelope = admitted(runs)
    before = dict(connection.redis.hgetall(KEYS.run(envelope.run_id)))
    connection.redis.hset(KEYS.run(envelope.run_id), "schema", 2)
    assert runs.begin(envelope, Stage.INITIALIZE)[0] is Begin.NEWER
    with pytest.raises(
        IllegalStep, match=r"was written by a newer Entropy .record version 2, this one knows 1.; update"
    ):
        runs.get(envelope.run_id)
    connection.redis.zadd(KEYS.live, {envelope.run_id: 0})
    assert list(runs.overdue()) == []
    assert connection.redis.hgetall(KEYS.run(envelope.run_id)) == {**before, b"schema": b"2"}


def test_a_message_that_nobody_takes_is_sent_again_later_each_time(runs: Runs, connection: RedisConnection) -> None:
    envelope = admitted(runs)
    pauses = []
    for _ in range(4):
        connection.redis.zadd(KEYS.live, {envelope.run_id: 0})
        assert len(list(runs.overdue())) == 1
        pauses.append(float(connection.redis.zscore(KEYS.live, envelope.run_id)) / 1000 - connection.now())
    assert [round(pause, 1) for pause in pauses] == [0.3, 0.6, 1.2, 2.4]
    begun(runs, Envelope(envelope.run_id, 5))
    connection.redis.zadd(KEYS.live, {envelope.run_id: 0})
    assert list(runs.overdue()) == [Envelope(envelope.run_id, 6)]
    assert float(connection.redis.zscore(KEYS.live, envelope.run_id)) / 1000 - connection.now() < 0.4


def test_a_worker_whose_answer_got_lost_may_ask_again(runs: Runs, connection: RedisConnection) -> None:
    lease = begun(runs, admitted(runs))
    keys = [KEYS.run(lease.run.id), KEYS.live]
    again = connection.script("begin")(keys=keys, args=[lease.run.id, 1, "initialize", lease.owner, 300, 1])
    other = connection.script("begin")(keys=keys, args=[lease.run.id, 1, "initialize", "somebody", 300, 1])
    assert (again, other) == ([b"begun"], [b"leased"])


def test_what_is_handed_back_was_no_try(runs: Runs) -> None:
    envelope = admitted(runs)
    lease = begun(runs, envelope)
    runs.advance(lease, lease.run, refund=True)
    assert begun(runs, envelope).run.attempts == 1


def test_an_operator_moves_a_run_whoever_is_at_work_on_it(runs: Runs) -> None:
    lease = begun(runs, admitted(runs))
    outcome = Outcome(verdict=Verdict.CANCELLED, summary="stop")
    sent = runs.intervene(lease.run, lease.run.evolve(stage=Stage.REPORT, outcome=outcome))
    assert (sent.stage, sent.generation, sent.outcome) == (Stage.REPORT, 2, outcome)
    with pytest.raises(StaleGeneration):
        runs.advance(lease, lease.run.evolve(stage=Stage.CLAIM))
    with pytest.raises(IllegalStep, match="has just moved on"):
        runs.intervene(lease.run, lease.run.evolve(stage=Stage.REPORT))
    assert runs.begin(sent_envelope(sent), Stage.REPORT)[0] is Begin.BEGUN


def sent_envelope(run: Run) -> Envelope:
    return Envelope(run.id, run.generation)


def test_only_the_owner_of_a_lease_renews_and_saves(runs: Runs) -> None:
    lease = begun(runs, admitted(runs))
    other = lease._replace(owner="somebody else, in the same generation")
    assert not runs.renew(other)
    with pytest.raises(StaleGeneration):
        runs.advance(other, other.run.evolve(stage=Stage.CLAIM))
    assert runs.renew(lease)
