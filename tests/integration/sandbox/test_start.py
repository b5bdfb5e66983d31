"""A worker that serves sandboxes proves them before it takes work, and does not begin where they do not hold."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.sandbox.places import BubblewrapPlace

WORKER = (sys.executable, "-m", "celery", "-A", "entropy", "worker", "--pool", "prefork", "--concurrency", "1")


@contextmanager
def started(place: BubblewrapPlace, redis_url: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    environment = {
        **os.environ,
        "ENTROPY_REDIS__URL": redis_url,
        "ENTROPY_LOG__FORMAT": "text",
        "ENTROPY_SANDBOX__BACKEND": "bubblewrap",
        "ENTROPY_SANDBOX__DIRECTORY": str(place.settings.directory),
        **settings,
    }
    with subprocess.Popen(
        WORKER, env=environment, stderr=subprocess.PIPE, text=True, stdout=subprocess.DEVNULL
    ) as worker:
        try:
            yield worker
        finally:
            if worker.poll() is None:
                worker.terminate()


def until_ready(worker: "subprocess.Popen[str]") -> list[str]:
    """What a worker logs until it serves, and while it ends."""
    assert worker.stderr
    said = []
    while line := worker.stderr.readline():
        said.append(line)
        if "ready" in line:
            worker.send_signal(signal.SIGTERM)
    return said


@pytest.mark.redis
@pytest.mark.bubblewrap
def test_a_worker_whose_sandbox_does_not_hold_does_not_begin(tmp_path: Path, redis_url: str) -> None:
    (tmp_path / "file").write_text("")
    below = str(tmp_path / "file" / "below")
    with started(BubblewrapPlace(tmp_path), redis_url, ENTROPY_SANDBOX__DIRECTORY=below) as worker:
        _, said = worker.communicate(timeout=60)
    assert worker.returncode == 1
    assert said.strip().splitlines()[-1].startswith("entropy: ")
    assert "ENTROPY_SANDBOX__DIRECTORY" in said


@pytest.mark.redis
@pytest.mark.bubblewrap
def test_a_worker_says_once_what_its_sandbox_lacks(tmp_path: Path, redis_url: str) -> None:
    place = BubblewrapPlace(tmp_path)
    with started(place, redis_url) as worker:
        said = until_ready(worker)
    assert len([line for line in said if "weaker than a container" in line]) == 1, said
    assert place.remains() == []


@pytest.mark.redis
def test_a_worker_begins_without_its_daemon(tmp_path: Path, redis_url: str) -> None:
    settings = {"ENTROPY_SANDBOX__BACKEND": "docker", "ENTROPY_SANDBOX__DOCKER_HOST": f"unix://{tmp_path}/none"}
    with started(BubblewrapPlace(tmp_path), redis_url, **settings) as worker:
        said = until_ready(worker)
    assert any("proven later" in line for line in said), said
