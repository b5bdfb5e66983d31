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

WIDGETS = {"ENTROPY_GITHUB__REPOSITORIES": "acme/widgets"}
OF_APPS = {"ENTROPY_GITHUB__REPOSITORIES": "", "ENTROPY_GITHUB__APPS": "*=1234567,coder=7654321"}

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
    def kind(self) -> str:
        """Celery's subcommand: worker, beat, and those of ours."""
        return next(argument for argument in self.arguments if not argument.startswith("-"))

    @property
    def identities(self) -> set[str]:
        """The roles as which it can act on the forge, by a token or by the key of an App."""
        return {role for role, found, _ in (name.partition("_github_") for name in self.secrets) if found}

    @property
    def has_container_api(self) -> bool:
        daemon, cluster = "ENTROPY_SANDBOX__DOCKER", "ENTROPY_SANDBOX__KUBERNETES"
        told = any(name.startswith((daemon, cluster)) or name == "DOCKER_HOST" for name in self.variables)
        return told or any("engine" in mount or "docker.sock" in mount for mount in self.mounts)


def compose_config(*files: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What Docker Compose itself makes of files, all profiles."""
    program = TOOLS / "docker-compose"
    require(program.exists(), "the deployment tools; make them with: ops/tools deploy")
    return subprocess.run(
        [program, "--profile", "*", "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], "COMPOSE_FILE": ":".join(map(str, files)), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def compose(*more: str, **environment: str) -> Document:
    """`more`: files of ours after the first."""
    files = [ROOT / "compose" / name for name in ("compose.yaml", *more)]
    config = compose_config(*files, **environment or WIDGETS)
    assert config.returncode == 0, config.stderr
    document: Document = json.loads(config.stdout)
    return document


def check_chart(values: Document) -> Document:
    """Render, lint and validate: ``documents``, ``notes``, ``lint`` and ``invalid``, or ``error``."""
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
