"""Tokens that many ask for: made once, kept for as long as they are good, taken out of use with their last user."""

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from entropy.errors import ForgeRefused, StateUnavailable
from entropy.settings import RedisSettings
from entropy.state.connection import RedisConnection
from entropy.state.tokens import Tokens
from tests.integration.state.conftest import KEYS

NAME = "12:coder:acme/widgets"
MANY = 16


@pytest.fixture
def tokens(connection: RedisConnection) -> Tokens:
    return Tokens(connection, KEYS, patience=5)


class Maker:
    """Makes tokens, slowly, and counts them."""

    def __init__(self, *, lifetime: float = 60, pause: float = 0) -> None:
        self.made = 0
        self._lifetime = lifetime
        self._pause = pause

    def __call__(self) -> tuple[bytes, float]:
        self.made += 1
        time.sleep(self._pause)
        return b"token %d" % self.made, self._lifetime


def test_sixteen_threads_make_one_token(tokens: Tokens) -> None:
    maker, together = Maker(pause=0.2), threading.Barrier(MANY)

    def ask(_: int) -> bytes:
        together.wait()
        return tokens.obtain(NAME, maker)

    with ThreadPoolExecutor(MANY) as pool:
        assert set(pool.map(ask, range(MANY))) == {b"token 1"}
    assert maker.made == 1


def ask_alone(url: str) -> bytes:
    """In a process of its own: the token, after it is counted that one was made."""
    connection = RedisConnection(RedisSettings(url=url))

    def make() -> tuple[bytes, float]:
        number = connection.redis.incr("made")
        time.sleep(0.3)
        return b"token %d" % int(number), 60

    try:
        return Tokens(connection, KEYS, patience=5).obtain(NAME, make)
    finally:
        connection.close()


def test_sixteen_processes_make_one_token(redis_url: str) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with context.Pool(MANY) as pool:
        assert set(pool.map(ask_alone, [redis_url] * MANY, chunksize=1)) == {b"token 1"}
    with redis.Redis.from_url(redis_url) as client:
        assert client.get("made") == b"1"


def test_a_token_is_made_anew_when_it_may_not_be_handed_out_any_more(tokens: Tokens) -> None:
    maker = Maker(lifetime=0.1)
    assert tokens.obtain(NAME, maker) == b"token 1"
    deadline = time.monotonic() + 5
    while tokens.obtain(NAME, maker) == b"token 1":
        assert time.monotonic() < deadline
    assert maker.made == 2


def test_a_maker_that_fails_leaves_the_next_one_to_try(tokens: Tokens, connection: RedisConnection) -> None:
    def fail() -> tuple[bytes, float]:
        raise ForgeRefused

    with pytest.raises(ForgeRefused):
        tokens.obtain(NAME, fail)
    assert connection.redis.keys("*") == []
    assert tokens.obtain(NAME, Maker()) == b"token 1"


def test_a_maker_that_died_is_not_waited_for_for_ever(connection: RedisConnection) -> None:
    tokens = Tokens(connection, KEYS, patience=0.3)
    connection.redis.set(KEYS.token(NAME, "making"), "dead", px=300)
    assert tokens.obtain(NAME, Maker()) == b"token 1"


def test_what_is_made_for_ever_is_told_in_a_sentence(connection: RedisConnection) -> None:
    tokens = Tokens(connection, KEYS, patience=0.1)
    connection.redis.set(KEYS.token(NAME, "making"), "slow")
    with pytest.raises(StateUnavailable, match="being made for too long"):
        tokens.obtain(NAME, Maker())


def test_a_maker_that_was_overtaken_keeps_nothing(tokens: Tokens, connection: RedisConnection) -> None:
    def overtaken() -> tuple[bytes, float]:
        connection.redis.delete(KEYS.token(NAME, "making"))
        tokens.obtain(NAME, lambda: (b"quicker", 60))
        return b"slower", 60

    assert tokens.obtain(NAME, overtaken) == b"slower"
    assert tokens.obtain(NAME, Maker()) == b"quicker"


def test_only_the_token_that_is_meant_is_discarded(tokens: Tokens) -> None:
    maker = Maker()
    sealed = tokens.obtain(NAME, maker)
    tokens.discard(NAME, b"another")
    assert tokens.obtain(NAME, maker) == sealed
    tokens.discard(NAME, sealed)
    assert tokens.obtain(NAME, maker) == b"token 2"


def test_a_token_is_retired_with_its_last_user(tokens: Tokens) -> None:
    for run in ("one", "two"):
        tokens.use(NAME, run)
        tokens.use(NAME, run)
    sealed = tokens.obtain(NAME, Maker())
    assert tokens.retire(NAME, "one") is None
    assert tokens.obtain(NAME, Maker()) == sealed
    assert tokens.retire(NAME, "two") == sealed
    assert tokens.retire(NAME, "two") is None


def test_users_and_tokens_are_forgotten_in_the_end(tokens: Tokens, connection: RedisConnection) -> None:
    tokens.use(NAME, "one")
    tokens.obtain(NAME, Maker())
    assert all(connection.redis.ttl(key) > 0 for key in connection.redis.keys("*"))
