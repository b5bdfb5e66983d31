"""A sandbox and its worker: what the agent's side of the house can reach."""

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.cluster import Cluster

pytestmark = pytest.mark.from_scratch


def test_a_hostile_recipe_reaches_nothing(cluster: Cluster, tmp_path: Path) -> None:
    tokens = [path.read_text() for path in (cluster.folder / "secrets").iterdir()]
    daemon = tmp_path / "docker.sock"  # somebody listens there, so that a refusal is the sandbox's
    ports = [urlsplit(address).port for address in (cluster.redis_url, cluster.forge.url)]
    targets = {
        "ports": ports,
        "sockets": [str(daemon), "/var/run/docker.sock"],
        "files": ["/etc/shadow", *(str(path) for path in (cluster.folder / "secrets").iterdir())],
        "words": [*tokens, "ENTROPY_", cluster.redis_url],
    }
    cluster.push({"targets.json": json.dumps(targets)}, branch=cluster.repository.default_branch)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(daemon))
        listener.listen()
        cluster.split()
        cluster.file_issue("Look around", "entropy:code", "recipe:probe")
        cluster.until(lambda: cluster.repository.get_pulls().totalCount, what="the loot is proposed")
    (pull,) = cluster.repository.get_pulls()
    loot = json.loads(cluster.repository.get_contents("widgets/loot.json", ref=pull.head.ref).decoded_content)
    assert {name: loot[name] for name in ("connected", "sockets", "files", "words")} == {
        "connected": [],
        "sockets": [],
        "files": [],
        "words": [],
    }
    assert not [name for name in loot["own_environment"] if "ENTROPY" in name or "TOKEN" in name]


def test_the_targets_are_there_outside_of_the_sandbox(cluster: Cluster) -> None:
    """The same attempts succeed from here: the story above is about walls, not about empty rooms."""
    for address in (cluster.redis_url, cluster.forge.url):
        with socket.create_connection(("127.0.0.1", urlsplit(address).port or 0), timeout=2):
            pass
    assert all(path.read_bytes() for path in (cluster.folder / "secrets").iterdir())


def test_the_two_kinds_of_worker_hold_different_keys(cluster: Cluster) -> None:
    cluster.split()
    cluster.until(lambda: _environment(cluster, "sandbox"), what="the sandbox worker is up")
    sandbox, control = _environment(cluster, "sandbox"), _environment(cluster, "control")
    tokens = [path.read_text() for path in (cluster.folder / "secrets").iterdir()]
    assert not [name for name in sandbox if name.startswith(("ENTROPY_SECRET", "ENTROPY_GITHUB"))]
    assert not [token for token in tokens if token in str(sandbox)]
    assert not [name for name in control if name.startswith("ENTROPY_SANDBOX")]


def _environment(cluster: Cluster, name: str) -> dict[str, str]:
    raw = Path(f"/proc/{cluster.started[name].popen.pid}/environ").read_bytes().decode()
    return dict(pair.split("=", 1) for pair in raw.split("\0") if "=" in pair)
