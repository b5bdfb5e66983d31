"""What is discovered, when it is asked for, and what the forge charges for it."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.forge.faults import Faults
from entropy.forge.records import repositories
from entropy.models import WorkItem
from entropy.scheduling.reconciliation import reconcile
from entropy.settings import inherited
from entropy.state.hints import Hint
from entropy.state.looks import AGAIN
from tests.integration.scheduling.country import CODE, Country, open_country


@pytest.fixture
def few(tmp_path: Path, redis_url: str) -> Iterator[Country]:
    with open_country(tmp_path, redis_url, 3) as country:
        yield country


@pytest.fixture
def many(tmp_path: Path, redis_url: str) -> Iterator[Country]:
    with open_country(tmp_path, redis_url, 230, capacity=500, search_interval=0) as country:
        yield country


def test_what_carried_a_label_before_anybody_looked_is_started(few: Country) -> None:
    number = few.issue(few.repositories[1], CODE)
    with few.forge.store.write() as db:
        db.execute("UPDATE issues SET created = '2020-01-01T00:00:00Z', updated = '2020-01-01T00:00:00Z'")
    assert few.discover() == [f"{few.repositories[1]}#{number}"]


def test_a_label_that_is_set_later_is_seen_at_the_next_look_and_not_before(few: Country) -> None:
    number = few.issue(few.repositories[1])
    assert few.discover() == []
    few.label(few.repositories[1], number)
    assert few.discover() == []  # nothing is due
    assert few.later() == [f"{few.repositories[1]}#{number}"]


def test_looking_where_nothing_happens_costs_nothing(few: Country) -> None:
    few.issue(few.repositories[0])
    few.age()
    few.discover()
    few.later()  # an answer that one question changed is asked for once more
    few.charged()
    for _ in range(5):
        assert few.later() == []
    assert few.charged() == 0


def test_a_change_of_one_repository_does_not_make_the_others_cost_anything(few: Country) -> None:
    number = few.issue(few.repositories[0])
    few.age()
    few.later()
    few.later()
    few.charged()
    few.label(few.repositories[0], number, "question")
    few.age()
    few.later()
    assert 1 <= few.charged() <= 4  # two lists and the issue
    few.later()
    assert few.charged() == 0


def test_two_changes_within_a_second_are_two(few: Country) -> None:
    number = few.issue(few.repositories[0], "question")
    few.later()
    few.label(few.repositories[0], number)
    assert few.later() == [f"{few.repositories[0]}#{number}"]


def test_a_label_that_is_taken_away_and_set_again_within_a_second_is_seen(few: Country) -> None:
    """Both times the issue looks the same, down to the second; in between it was looked at."""
    home = few.repositories[0]
    number = few.issue(home, CODE)
    assert few.discover() == [f"{home}#{number}"]
    with few.forge.store.read() as db:
        (before,) = db.execute("SELECT updated FROM issues").fetchone()
    _end(few, home, number)
    few.tools.hints.take(Hint(repository=home, numbers=(number,)))
    assert few.discover() == []
    few.label(home, number)
    with few.forge.store.write() as db:
        db.execute("UPDATE issues SET updated = ?", (before,))
    deadline = time.monotonic() + 15
    while not (started := few.later()):
        assert time.monotonic() < deadline, "never looked at again"
        time.sleep(0.1)
    assert started == [f"{home}#{number}"]


def test_what_there_is_no_room_for_waits_and_is_read_again_when_there_is(tmp_path: Path, redis_url: str) -> None:
    with open_country(tmp_path, redis_url, 1, capacity=1) as country:
        (home,) = country.repositories
        first, second, third = (country.issue(home, CODE) for _ in range(3))
        assert country.discover() == [f"{home}#{first}"]
        assert country.later() == []
        _end(country, home, first)
        country.person("DELETE", f"/repos/{home}/issues/{second}/labels/{CODE}")
        # Nobody looked since: what is read again is not what was remembered.
        assert country.discover() == [f"{home}#{third}"]


def test_what_waits_is_left_to_the_worker_that_is_reading_it(few: Country) -> None:
    """Two that read it at once could have it waiting by the older reading."""
    home = few.repositories[0]
    item = WorkItem(repository=home, number=few.issue(home, CODE))
    few.tools.waiting.save(item, [CODE])
    few.tools.looks.take(item)
    assert few.tools.looks.take(item) is None
    assert few.discover() == []
    few.tools.connection.redis.delete(few.tools.looks._keys[0])  # the other worker is done
    assert few.discover() == [str(item)]


def test_what_waits_and_cannot_be_read_is_tried_again(tmp_path: Path, redis_url: str) -> None:
    with open_country(tmp_path, redis_url, 1, wrap=Faults) as country:
        (home,) = country.repositories
        item = WorkItem(repository=home, number=country.issue(home))
        country.discover()
        country.label(home, item.number)
        country.tools.waiting.save(item, [CODE])
        rule = {"path": f"/issues/{item.number}$", "method": "GET", "effect": "502_before"}
        country._ask("POST", f"{country.forge.url}/_faults", [rule])
        assert country.discover() == []
        due = country.tools.connection.redis.zscore(country.tools.looks._keys[0], str(item))
        assert 0 < due - country.tools.connection.now() * 1000 <= AGAIN


def test_nothing_is_lost_when_redis_forgets_what_was_seen(few: Country) -> None:
    number = few.issue(few.repositories[2], CODE)
    few.tools.connection.redis.flushall()
    assert few.discover() == [f"{few.repositories[2]}#{number}"]
    few.tools.connection.redis.flushall()
    assert few.discover() == [f"{few.repositories[2]}#{number}"]


def test_a_busy_repository_does_not_crowd_out_the_others(tmp_path: Path, redis_url: str) -> None:
    with open_country(tmp_path, redis_url, 3, capacity=3) as country:
        for _ in range(4):
            country.issue(country.repositories[0], CODE)
        for home in country.repositories[1:]:
            country.issue(home, CODE)
        assert [item.partition("#")[0] for item in country.discover()] == country.repositories


def test_a_closed_item_is_not_started(few: Country) -> None:
    number = few.issue(few.repositories[0], CODE)
    few.person("PATCH", f"/repos/{few.repositories[0]}/issues/{number}", {"state": "closed"})
    assert few.discover() == []


def test_checks_of_a_labelled_pull_request_are_a_change_of_it(few: Country) -> None:
    home = few.repositories[0]
    number, head = _pull(few, home)
    few.label(home, number, "entropy:review")
    few.age()
    few.later()
    few.later()
    assert few.tools.looks.count() == 0
    few.charged()
    few.later()
    assert few.charged() == 0
    few.person("POST", f"/repos/{home}/statuses/{head}", {"state": "failure", "context": "ci"})
    looked = _looks(few, home)
    assert looked == [f"{home}#{number}"]


def test_many_repositories_are_asked_by_the_hundred(many: Country) -> None:
    number = many.issue(many.repositories[100], CODE)
    assert many.discover() == [f"{many.repositories[100]}#{number}"]
    many.charged("graphql")
    many.charged()
    later = many.issue(many.repositories[207])
    assert many.later() == []
    many.label(many.repositories[207], later)
    assert many.later() == [f"{many.repositories[207]}#{later}"]
    assert many.charged("graphql") == 6  # two sweeps of three batches


def test_more_labelled_issues_than_a_batch_shows_are_all_found(many: Country) -> None:
    home = many.repositories[3]
    numbers = [many.issue(home, CODE) for _ in range(13)]
    started = many.discover()
    waiting = many.tools.waiting.ready(home, many.tools.agents.triggers())
    assert sorted(started + [str(wish.item) for wish in waiting]) == sorted(f"{home}#{number}" for number in numbers)


def _end(country: Country, home: str, number: int) -> None:
    """The run of the item ends without a trace."""
    item = WorkItem(repository=home, number=number)
    keys = country.tools.runs._keys
    redis = country.tools.connection.redis
    run = redis.get(keys.active(item, "coder"))
    redis.zrem(keys.live, run)
    redis.srem(keys.live_of(home), run)
    country.person("DELETE", f"/repos/{home}/issues/{number}/labels/{CODE}")
    redis.delete(keys.active(item, "coder"))


def _pull(country: Country, home: str) -> tuple[int, str]:
    """A pull request, made with the API alone."""
    base = country.person("GET", f"/repos/{home}")["default_branch"]
    head = country.person("GET", f"/repos/{home}/git/ref/heads/{base}")["object"]["sha"]
    commit = _git(country, home, "commit-tree", f"{head}^{{tree}}", "-p", head, "-m", "More").strip()
    country.person("POST", f"/repos/{home}/git/refs", {"ref": "refs/heads/mine", "sha": commit})
    made = country.person("POST", f"/repos/{home}/pulls", {"title": "Mine", "head": "mine", "base": base})
    return made["number"], commit


def _git(country: Country, home: str, *arguments: str) -> str:
    who = {f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    with country.forge.store.read() as db:
        row = repositories.named(db, home)
        assert row is not None
        folder = country.forge.store.directory(row)
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=inherited("PATH") | who).stdout


def _looks(country: Country, home: str) -> list[str]:
    """What is to be looked at after a look at the repository."""
    country.tools.rounds.hasten()
    reconcile(country.tools)
    found = []
    while (due := country.tools.looks.take()) is not None:
        found.append(str(due.item))
    return found
