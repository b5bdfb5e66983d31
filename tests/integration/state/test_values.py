"""Holds and announcements, against a real Redis."""

import threading

from entropy.models import Run, Stage, WorkItem
from entropy.state.announcements import Announcement, Announcements
from entropy.state.connection import RedisConnection
from entropy.state.holds import Holds
from entropy.state.runs import Admission, Runs
from tests.integration.state.conftest import KEYS

ITEM = WorkItem(repository="acme/widgets", number=12)
RUN = Run(id="r1", item=ITEM, role="coder", created=0)


def test_an_item_that_does_not_move_waits_longer_each_time(connection: RedisConnection, runs: Runs) -> None:
    holds = Holds(connection, KEYS, first=10)
    assert [holds.lengthen(ITEM, "merger") for _ in range(3)] == [10, 20, 40]
    assert [holds.lengthen(ITEM, "merger") for _ in range(30)][-1] == 3600
    assert runs.admit(ITEM, "merger", trigger="entropy:merge")[0] is Admission.HELD
    assert runs.admit(ITEM, "coder", trigger="entropy:code")[0] is Admission.ADMITTED
    holds.clear(ITEM, "merger")
    assert runs.admit(ITEM, "merger", trigger="entropy:merge")[0] is Admission.ADMITTED


def test_an_item_whose_way_is_blocked_waits_the_same_each_time(connection: RedisConnection) -> None:
    holds = Holds(connection, KEYS, first=10)
    for _ in range(5):
        holds.pause(ITEM, "reviewer")
    assert 9_000 < connection.redis.pttl(KEYS.hold(ITEM, "reviewer")) <= 10_000
    assert holds.lengthen(ITEM, "reviewer") == 10


def test_a_person_may_start_what_is_held(connection: RedisConnection, runs: Runs) -> None:
    Holds(connection, KEYS, first=10).lengthen(ITEM, "merger")
    assert runs.admit(ITEM, "merger")[0] is Admission.ADMITTED


def test_announcements_are_heard_by_all_and_wake_once(connection: RedisConnection) -> None:
    announcements = Announcements(connection, KEYS)
    listening, heard = threading.Barrier(3), []

    def listen() -> None:
        channel = announcements.listen(timeout=0.05)
        assert next(channel) is None
        listening.wait(5)
        heard.append(next(told for told in channel if told))
        channel.close()

    threads = [threading.Thread(target=listen) for _ in range(2)]
    for thread in threads:
        thread.start()
    listening.wait(5)
    announcements.tell(RUN, Stage.REPORT, "finished", note="done", label="entropy:review")
    for thread in threads:
        thread.join(5)
    first, second = heard
    assert isinstance(first, Announcement)
    assert first == second
    assert (first.item, first.label, first.stage) == ("acme/widgets#12", "entropy:review", Stage.REPORT)
    assert [announcements.first_to_hear(told) for told in heard] == [True, False]
