"""The image of the Dockerfile is a worker: read-only, without capabilities, with nothing but the address of Redis."""

import json
from typing import Any

import pytest
from pytest_celery import CeleryTestWorker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def _inspect(worker: CeleryTestWorker, what: str) -> Any:
    """What this worker says of itself; naming it ends the wait with its answer."""
    node = worker.hostname()
    command = ["celery", "-A", "entropy", "-q", "inspect", "-t", "30", "-d", node, "--json", what]
    status, (output, errors) = worker.container.exec_run(command, demux=True)
    assert status == 0, errors
    return json.loads(output)[node]


def test_containerised_worker_answers_and_knows_the_stages(worker: CeleryTestWorker) -> None:
    assert _inspect(worker, "ping") == {"ok": "pong"}
    stages = [task for task in _inspect(worker, "registered") if task.startswith("entropy.lifecycle.")]
    assert stages == [f"entropy.lifecycle.{stage}" for stage in ("claim", "cleanup", "execute", "initialize", "report")]
    assert {queue["name"] for queue in _inspect(worker, "active_queues")} >= {"coder", "coder.control", "scheduling"}
