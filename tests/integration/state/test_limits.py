"""How fast workers may speak to the forge together: windows, order, budget, pauses, and what a crash leaves."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from entropy.errors import RateLimited
from entropy.models import Importance, Standing, Turn
from entropy.settings import LimitSettings
from entropy.state.connection import RedisConnection
from entropy.state.limits import AT_MOST, AT_ONCE, PERIOD, SEAT, USUAL, FleetLimits, Windows
from tests.integration.state.conftest import KEYS

WHO = "installation:1"
DONE = Standing()
DEADLINE = 20


def limits(
    connection: RedisConnection, *, minute: int = 8, hour: int = 1000, patience: float = 0, windows: Windows = USUAL
) -> FleetLimits:
    settings = LimitSettings(writes_per_minute=minute, content_per_hour=hour, patience=patience)
    return FleetLimits(connection, KEYS, settings, span=1, windows=windows)


def write(
    limits: FleetLimits, importance: Importance = Importance.MERGE, *, identity: str = WHO, content: bool = False
) -> None:
    limits.leave(limits.enter(identity, "core", importance, content=content), DONE)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def written(connection: RedisConnection) -> int:
    return int(connection.redis.zcard(KEYS.limit(WHO, "writes")))


def left_over(connection: RedisConnection) -> list[bytes]:
    return list(connection.redis.keys(KEYS.limit(WHO, "[rs][oe]*")))


def test_no_more_writes_than_fit_into_a_minute(connection: RedisConnection) -> None:
    gate = limits(connection)
    for _ in range(8):
        write(gate)
    with pytest.raises(RateLimited) as caught:
        write(gate)
    assert 58 < caught.value.retry_after <= 60.1
    write(gate, identity="installation:2")


def test_no_more_content_than_fits_into_an_hour(connection: RedisConnection) -> None:
    gate = limits(connection, minute=100, hour=5)
    for _ in range(5):
        write(gate, content=True)
    with pytest.raises(RateLimited) as caught:
        write(gate, content=True)
    assert 3590 < caught.value.retry_after <= 3600.1
    for _ in range(10):
        write(gate, Importance.CHANGE)


@pytest.mark.parametrize(
    ("importance", "number"), [(Importance.MERGE, 8), (Importance.CHANGE, 7), (Importance.COMMENT, 6)]
)
def test_what_is_less_important_leaves_room(connection: RedisConnection, importance: Importance, number: int) -> None:
    gate = limits(connection)
    for _ in range(number):
        write(gate, importance)
    with pytest.raises(RateLimited):
        write(gate, importance)


def test_reads_go_on_when_no_write_may(connection: RedisConnection) -> None:
    gate = limits(connection, minute=1)
    write(gate)
    for _ in range(20):
        write(gate, Importance.READ)
    assert written(connection) == 1


def test_content_counts_from_its_answer_on(connection: RedisConnection) -> None:
    gate = limits(connection, hour=1, patience=5, windows=Windows(hour=0.3))
    turn = gate.enter(WHO, "core", Importance.MERGE, content=True)
    time.sleep(0.4)
    gate.leave(turn, DONE)
    answered = connection.now()
    for window in ("writes", "content"):  # and no longer at the latest time at which it could have been answered
        assert float(connection.redis.zscore(KEYS.limit(WHO, window), turn.id)) <= answered * 1000 + 1
    write(gate, content=True)
    assert connection.now() - answered >= 0.3


def test_a_write_counts_from_its_answer_on(connection: RedisConnection) -> None:
    gate = limits(connection, minute=1, patience=5, windows=Windows(minute=0.3))
    turn = gate.enter(WHO, "core", Importance.MERGE)
    time.sleep(0.4)  # as long as the window: it is over, but the write is still on its way
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(gate.enter, WHO, "core", Importance.MERGE)
        until(lambda: connection.redis.zcard(KEYS.limit(WHO, "room")))
        gate.leave(turn, DONE)
        answered = connection.now()
        second.result(DEADLINE)
        assert connection.now() - answered >= 0.3


def test_in_no_stretch_of_a_window_are_there_more_writes_than_fit_into_it(connection: RedisConnection) -> None:
    windows, sent, lock = Windows(minute=0.5), [], threading.Lock()

    def work(worker: int) -> None:
        gate = limits(connection, minute=8, patience=DEADLINE, windows=windows)
        for _ in range(3):
            turn = gate.enter(WHO, "core", Importance.MERGE)
            with lock:
                sent.append(connection.now())
            gate.leave(turn, DONE)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert len(sent) == 48
    assert max(sum(start <= at < start + windows.minute for at in sent) for start in sent) <= 8


def test_a_merge_passes_all_comments_that_wait(connection: RedisConnection) -> None:
    order: list[Importance] = []
    gate = limits(connection, minute=1, patience=DEADLINE, windows=Windows(minute=0.5))
    write(gate)

    def go(importance: Importance) -> None:
        turn = gate.enter(WHO, "core", importance)
        order.append(importance)
        gate.leave(turn, DONE)

    kinds = [*[Importance.COMMENT] * 3, Importance.CHANGE, Importance.MERGE]
    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(go, kind) for kind in kinds]
        until(lambda: connection.redis.zcard(KEYS.limit(WHO, "room")) == len(kinds))
        for each in waiting:
            each.result(DEADLINE)
    assert order == sorted(kinds)


def test_a_pause_that_one_worker_is_told_holds_all(connection: RedisConnection, redis_url: str) -> None:
    one, other = limits(connection), limits(connection)
    one.leave(one.enter(WHO, "core", Importance.READ), Standing(pause=30))
    one.leave(one.enter("installation:2", "core", Importance.READ), DONE)
    for importance in Importance:
        with pytest.raises(RateLimited, match="asked everybody") as caught:
            other.enter(WHO, "graphql", importance)
        assert 29 < caught.value.retry_after <= 30


def test_a_shorter_pause_does_not_shorten_a_longer_one(connection: RedisConnection) -> None:
    gate = limits(connection)
    first, second = (gate.enter(WHO, "core", Importance.READ) for _ in range(2))
    gate.leave(first, Standing(pause=30))
    gate.leave(second, Standing(pause=1))
    with pytest.raises(RateLimited) as caught:
        gate.enter(WHO, "core", Importance.READ)
    assert caught.value.retry_after > 29


def test_reads_leave_a_reserve_of_the_budget_to_writes(connection: RedisConnection) -> None:
    gate = limits(connection)
    gate.leave(gate.enter(WHO, "core", Importance.READ), Standing(limit=100, remaining=10, reset=900))
    with pytest.raises(RateLimited, match="kept for writes") as caught:
        gate.enter(WHO, "core", Importance.READ)
    assert 899 < caught.value.retry_after <= 900.1
    write(gate)
    gate.leave(gate.enter(WHO, "search", Importance.READ), DONE)


def test_requests_on_their_way_count_against_the_budget(connection: RedisConnection) -> None:
    gate = limits(connection)
    gate.leave(gate.enter(WHO, "core", Importance.READ), Standing(limit=100, remaining=13, reset=900))
    turns = [gate.enter(WHO, "core", Importance.READ) for _ in range(3)]
    with pytest.raises(RateLimited):
        gate.enter(WHO, "core", Importance.READ)
    gate.leave(turns[0], Standing(limit=100, remaining=13, reset=900))
    gate.enter(WHO, "core", Importance.READ)


def test_an_answer_that_was_overtaken_does_not_fill_the_budget(connection: RedisConnection) -> None:
    gate = limits(connection)
    early, late = (gate.enter(WHO, "core", Importance.READ) for _ in range(2))
    gate.leave(late, Standing(limit=100, remaining=5, reset=900))
    gate.leave(early, Standing(limit=100, remaining=50, reset=899))
    with pytest.raises(RateLimited):
        gate.enter(WHO, "core", Importance.READ)


def test_a_budget_that_was_filled_up_again_is_believed(connection: RedisConnection) -> None:
    gate = limits(connection)
    gate.leave(gate.enter(WHO, "core", Importance.MERGE), Standing(limit=100, remaining=1, reset=0.2))
    until(lambda: not connection.redis.exists(KEYS.limit(WHO, "budget:core")))
    gate.leave(gate.enter(WHO, "core", Importance.READ), Standing(limit=100, remaining=99, reset=3600))
    gate.leave(gate.enter(WHO, "core", Importance.READ), DONE)


def test_who_gives_up_leaves_no_seat(connection: RedisConnection) -> None:
    gate = limits(connection, minute=1)
    write(gate)
    with pytest.raises(RateLimited):
        write(gate)
    assert left_over(connection) == []


def test_who_dies_while_waiting_is_not_waited_for_for_ever(connection: RedisConnection) -> None:
    """The merge at the head of the queue asks once and never again; the comment behind it keeps asking."""
    gate = limits(connection, minute=1, patience=4 * SEAT, windows=Windows(minute=0.3))
    write(gate)
    gate._ask(Turn("dead", WHO, "core", Importance.MERGE))
    assert len(left_over(connection)) == 2
    write(gate, Importance.COMMENT)
    assert left_over(connection) == []


def test_who_dies_while_nobody_else_waits_leaves_nothing(connection: RedisConnection) -> None:
    gate = limits(connection, minute=1)
    write(gate)
    gate._ask(Turn("dead", WHO, "core", Importance.MERGE))
    until(lambda: left_over(connection) == [])


def test_who_dies_while_writing_is_counted_as_long_as_the_write_may_arrive(connection: RedisConnection) -> None:
    gate = limits(connection, minute=1, windows=Windows(minute=0.3))
    before = connection.now()
    gate.enter(WHO, "core", Importance.MERGE)  # and is never heard of again; it may take 1 second
    waiting = limits(connection, minute=1, patience=DEADLINE, windows=Windows(minute=0.3))
    waiting.enter(WHO, "core", Importance.MERGE)
    assert connection.now() - before >= 1.3


def test_everything_is_forgotten_in_the_end(connection: RedisConnection) -> None:
    gate = limits(connection)
    turn = gate.enter(WHO, "core", Importance.COMMENT, content=True)
    gate.leave(turn, Standing(limit=9, remaining=5, reset=3, pause=2))
    assert Counter(connection.redis.ttl(key) > 0 for key in connection.redis.keys("*")) == Counter({True: 4})


def test_a_waiter_asks_often_enough_to_keep_its_seat() -> None:
    assert PERIOD * 4 < SEAT


def test_only_so_many_requests_are_on_their_way_and_reads_leave_room_to_writes(connection: RedisConnection) -> None:
    gate = limits(connection, minute=200)
    turns = [gate.enter(WHO, "core", Importance.READ) for _ in range(AT_ONCE[Importance.READ])]
    with pytest.raises(RateLimited, match="on their way"):
        gate.enter(WHO, "core", Importance.READ)
    turns += [gate.enter(WHO, "core", Importance.MERGE) for _ in range(AT_MOST - len(turns))]
    with pytest.raises(RateLimited, match="on their way"):
        gate.enter(WHO, "core", Importance.MERGE)
    gate.leave(turns[-1], DONE)
    write(gate)


def test_a_budget_that_the_forge_does_not_enforce_can_be_left_out(connection: RedisConnection) -> None:
    gate = FleetLimits(connection, KEYS, LimitSettings(patience=0, budget=False), span=1)
    gate.leave(gate.enter(WHO, "core", Importance.READ), Standing(limit=100, remaining=0, reset=900))
    gate.enter(WHO, "core", Importance.READ)
    gate.leave(gate.enter(WHO, "core", Importance.READ), Standing(pause=30))
    with pytest.raises(RateLimited):
        gate.enter(WHO, "core", Importance.READ)
