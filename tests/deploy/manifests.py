"""Reads compose/ and k8s/ into one shape, so that the same questions can be asked of both."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.services import require

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".tools" / "deploy" / "bin"
CHART = ROOT / "k8s" / "entropy"

Document = dict[str, Any]


class Process(NamedTuple):
    """One process of a deployment: what it is told, and what it can see."""

    name: str
    arguments: tuple[str, ...]
    variables: dict[str, str]
    secrets: frozenset[str]
    mounts: frozenset[str]

    @property
    def queues(self) -> frozenset[str]:
        """What it serves; empty for what is not a worker."""
        if "-Q" not in self.arguments:
            return frozenset()
        return frozenset(self.arguments[self.arguments.index("-Q") + 1].split(","))

    @property
    def tokens(self) -> set[str]:
        """The roles whose forge tokens it can read."""
        return {name.removesuffix("_github_token") for name in self.secrets if name.endswith("_github_token")}

    @property
    def has_container_api(self) -> bool:
        told = any(name.startswith("ENTROPY_SANDBOX__DOCKER") or name == "DOCKER_HOST" for name in self.variables)
        return told or any("engine" in mount or "docker.sock" in mount for mount in self.mounts)


def compose_config(file: Path) -> subprocess.CompletedProcess[str]:
    """What Docker Compose itself makes of a file, all profiles."""
    program = TOOLS / "docker-compose"
    require(program.exists(), "the deployment tools; make them with: ops/tools deploy")
    return subprocess.run(
        [program, "-f", file, "--profile", "*", "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], "ENTROPY_GITHUB__REPOSITORIES": "acme/widgets"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def compose() -> Document:
    config = compose_config(ROOT / "compose" / "compose.yaml")
    assert config.returncode == 0, config.stderr
    document: Document = json.loads(config.stdout)
    return document


def check_chart(values: Document) -> Document:
    """Render, lint and validate: ``documents``, ``lint`` and ``invalid``, or ``error``."""
    require((TOOLS / "python").exists(), "the deployment tools; make them with: ops/tools deploy")
    check = subprocess.run(
        [TOOLS / "python", Path(__file__).with_name("chart_check.py"), CHART],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    answer: Document = json.loads(check.stdout)
    return answer


def compose_processes(document: Document) -> Iterator[Process]:
    for name, service in document["services"].items():
        if service["image"] == "entropy:local":
            yield Process(
                name,
                tuple(service.get("command") or ()),
                service.get("environment") or {},
                frozenset(secret["source"] for secret in service.get("secrets", ())),
                frozenset(volume["source"] for volume in service.get("volumes", ())),
            )


def chart_processes(documents: list[Document]) -> Iterator[Process]:
    maps = {item["metadata"]["name"]: item["data"] for item in documents if item["kind"] == "ConfigMap"}
    for deployment in (item for item in documents if item["kind"] == "Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        given = [maps[source["configMapRef"]["name"]] for source in container["envFrom"]]
        projected = [volume["projected"]["sources"] for volume in pod["volumes"] if "projected" in volume]
        yield Process(
            deployment["metadata"]["name"].removeprefix("entropy-"),
            tuple(container["args"]),
            {name: value for variables in given for name, value in variables.items()},
            frozenset(key["path"] for sources in projected for source in sources for key in source["secret"]["items"]),
            frozenset(volume.get("hostPath", {}).get("path", "") for volume in pod["volumes"]),
        )
