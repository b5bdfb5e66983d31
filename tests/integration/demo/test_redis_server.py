"""The demo's own Redis: it answers those who know the password, on loopback only, and is gone afterwards."""

from pathlib import Path

import pytest
import redis

from entropy.cli.demo import redis_server
from entropy.cli.demo.failure import DemoFailed
from entropy.cli.demo.processes import Children
from entropy.cli.demo.signals import Interruption


def test_it_answers_and_keeps_its_password_to_itself(tmp_path: Path) -> None:
    with Children(tmp_path, Interruption()) as children:
        server = redis_server.start(children)
        redis_server.wait(children, server)
        with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        with server.client() as client:
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            pid = client.info("server")["process_id"]
    assert (tmp_path / "redis" / "redis.conf").stat().st_mode & 0o777 == 0o600
    assert server.password not in (tmp_path / "logs" / "redis.log").read_text()
    assert not Path(f"/proc/{pid}").exists()


def test_a_port_that_is_taken_is_reported(tmp_path: Path) -> None:
    with Children(tmp_path, Interruption()) as children:
        redis_server.wait(children, redis_server.start(children))
        configuration = tmp_path / "redis" / "redis.conf"
        children.start("second", [redis_server.binary(), str(configuration)], environment={})
        with pytest.raises(DemoFailed, match=r"second has stopped(.|\n)*in use"):
            children.wait_until(lambda: False, what="Redis")
