"""compose.yaml comes up, with every hardening that it asks for, and keeps tokens, sandboxes and networks apart."""

import hmac
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.manifests import ROOT, TOOLS
from tests.services import require

pytestmark = [pytest.mark.docker, pytest.mark.deploy, pytest.mark.timeout(400)]

SECRETS = ("redis_password", *(f"{role}_github_token" for role in ("scheduler", "coder", "reviewer", "merger")))
SIGNATURES = "scheduler_webhook_secret"
LOOK = "entropy.scheduling.look"

# What cannot be had without a registry, would take a port of this machine, or would let the tests wait.
OVERRIDE = """
services:
  engine: !reset null
  sandbox: {depends_on: !override [redis], healthcheck: {interval: 8s}}
  control: {healthcheck: {interval: 8s}}
  redis: {image: entropy-redis:local, healthcheck: {interval: 2s}}
  flower: {ports: !reset [], healthcheck: {interval: 5s}}
  forge: {ports: !reset [], healthcheck: {interval: 5s}}
  webhooks: {ports: !reset [], healthcheck: {interval: 5s}}
"""


class Compose:
    """One project of Docker Compose."""

    def __init__(self, folder: Path) -> None:
        files = [
            argument for file in (ROOT / "compose" / "compose.yaml", folder / "o.yaml") for argument in ("-f", file)
        ]
        self._command = [TOOLS / "docker-compose", "-p", f"entropy-{os.getpid()}", *files, "--profile", "*"]
        self._environment = os.environ | {"SECRETS_FOLDER": str(folder), "ENTROPY_GITHUB__REPOSITORIES": "acme/widgets"}

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self._command, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def python(self, service: str, code: str) -> Any:
        """Evaluate an expression inside a service, there and back as JSON."""
        program = f"import glob, json, os, socket; print(json.dumps({code}))"
        return json.loads(self("exec", "-T", service, "python3", "-c", program).stdout)

    def said(self, service: str, words: str) -> bool:
        """Whether a service's log comes to hold these words before the deadline."""
        deadline = time.monotonic() + 60
        while words not in self("logs", "--no-log-prefix", service).stdout:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory, images: None) -> Iterator[Compose]:
    require((TOOLS / "docker-compose").exists(), "the deployment tools; make them with: ops/tools deploy")
    folder = tmp_path_factory.mktemp("compose")
    (folder / "o.yaml").write_text(OVERRIDE)
    (folder / "flower_config").write_text('basic_auth = ["me:word"]\n')
    for name in (*SECRETS, SIGNATURES):
        (folder / name).write_text(f"value-of-{name}\n")
        (folder / name).chmod(0o444)
    project = Compose(folder)
    try:
        project("up", "-d", "--wait", "--wait-timeout", "240")
        yield project
    finally:
        project("down", "--volumes", "--timeout", "5")


def test_every_service_is_up_and_healthy(compose: Compose) -> None:
    states = {
        row["Service"]: (row["State"], row["Health"])
        for row in map(json.loads, compose("ps", "-a", "--format", "json").stdout.splitlines())
    }
    watched = dict.fromkeys(("redis", "control", "sandbox", "flower", "forge", "webhooks"), ("running", "healthy"))
    assert states == watched | {"beat": ("running", ""), "reaper": ("running", "")}


def test_beat_and_workers_meet_over_redis(compose: Compose) -> None:
    """With the password from its file and the rules of Redis that the compose file writes."""
    told = compose("exec", "-T", "control", "celery", "-A", "entropy", "-q", "inspect", "-t", "5", "ping", "--json")
    assert {node.partition("@")[0] for node in json.loads(told.stdout)} == {"control", "sandbox"}


def test_each_service_sees_its_own_secrets_only(compose: Compose) -> None:
    seen = {
        service: compose.python(service, "sorted(map(os.path.basename, glob.glob('/run/secrets/*')))")
        for service in ("control", "sandbox", "beat", "reaper", "flower", "webhooks")
    }
    assert seen.pop("control") == sorted(SECRETS)
    assert seen.pop("flower") == ["flower_config", "redis_password"]
    assert seen.pop("webhooks") == ["redis_password", SIGNATURES]
    assert set(map(tuple, seen.values())) == {("redis_password",)}


def test_only_the_control_side_reaches_the_forge(compose: Compose) -> None:
    reach = "socket.socket().connect_ex((socket.gethostbyname('forge'), 8000))"
    assert compose.python("control", reach) == 0
    refused = compose("exec", "-T", "sandbox", "python3", "-c", f"import socket; {reach}", check=False)
    assert "gaierror" in refused.stderr


def test_a_delivery_is_taken_in_when_it_is_signed(compose: Compose) -> None:
    """By way of Redis: whoever was called to look is seen in the log of a worker."""
    body = json.dumps({"action": "labeled", "issue": {"number": 7}, "repository": {"full_name": "acme/widgets"}})
    signed = hmac.new(f"value-of-{SIGNATURES}".encode(), body.encode(), "sha256").hexdigest()
    headers = {"content-type": "application/json", "x-github-event": "issues", "x-github-delivery": "d-1"}
    program = (
        "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8088, timeout=20); "
        "c.request('POST', '/webhooks', sys.argv[1], dict(pair.split('=', 1) for pair in sys.argv[2:])); "
        "print(c.getresponse().status)"
    )
    assert LOOK not in compose("logs", "control").stdout
    for signature, status in (("0" * 64, 401), (signed, 202)):
        pairs = [
            f"{name}={value}" for name, value in (headers | {"x-hub-signature-256": f"sha256={signature}"}).items()
        ]
        answer = compose("exec", "-T", "webhooks", "python3", "-c", program, body, *pairs)
        assert int(answer.stdout) == status
    assert compose.said("control", LOOK)


def test_processes_are_nobody_and_cannot_write_what_they_run(compose: Compose) -> None:
    for service in ("control", "sandbox", "beat", "forge", "webhooks"):
        assert compose.python(
            service, "[os.getuid(), os.access('/opt/entropy', os.W_OK), os.access('/', os.W_OK)]"
        ) == [
            10001,
            False,
            False,
        ]
