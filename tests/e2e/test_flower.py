"""Flower: what a person sees of a run in the browser, and what a stranger does not."""

import base64
import json
import urllib.error
import urllib.request

import pytest

from entropy.cli.demo.redis_server import free_port
from tests.e2e.cluster import Cluster

QUEUES = {
    "entropy.lifecycle.initialize": "coder.control",
    "entropy.lifecycle.claim": "coder.control",
    "entropy.lifecycle.execute": "coder",
    "entropy.lifecycle.report": "coder.control",
    "entropy.lifecycle.cleanup": "coder.control",
}


def test_flower_shows_each_stage_on_its_queue(cluster: Cluster) -> None:
    port = free_port()
    arguments = ("--address=127.0.0.1", f"--port={port}", "--basic-auth=ada:lovelace")
    cluster.start("flower", "flower", *arguments, environment=cluster.shared())
    cluster.split()
    cluster.until(lambda: fetch(port, "/api/workers") is not None, what="Flower answers")
    issue = cluster.file_issue("Do nothing", "entropy:code", "recipe:nothing")
    cluster.until(lambda: "entropy:parked" in cluster.labels(issue.number), what="the issue is parked")
    cluster.until(lambda: set(QUEUES) <= set(shown(port)), what="Flower has heard of all stages")
    assert {name: queue for name, queue in shown(port).items() if name in QUEUES} == QUEUES
    with pytest.raises(urllib.error.HTTPError, match="401"):
        fetch(port, "/api/tasks", credentials="ada:wrong")


def shown(port: int) -> dict[str, str]:
    tasks = fetch(port, "/api/tasks") or {}
    return {task["name"]: task["routing_key"] for task in tasks.values() if task["name"]}


def fetch(port: int, path: str, credentials: str = "ada:lovelace") -> dict[str, dict[str, str]] | None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    request.add_header("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            read: dict[str, dict[str, str]] = json.load(answer)
            return read
    except ConnectionRefusedError:
        return None
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError:
        return None
