"""What an API server looks at before it takes a Pod: its schema, the rights of who asks, and the namespace's rules."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.services import require

Body = dict[str, Any]
VERSION = "v1.34.0-local-strict"
ROOT = Path(__file__).parents[2]
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


@cache
def _validator() -> Any:
    """Of Pods, by Kubernetes' own OpenAPI definitions, which let nothing through that they do not name."""
    found = list(
        ROOT.glob(f".tools/deploy/lib/python3*/site-packages/kubernetes_validate/*/{VERSION}/_definitions.json")
    )
    require(found, "the deployment tools; make them with: ops/tools deploy")
    definitions = json.loads(found[0].read_text())["$defs"]
    return jsonschema_rs.validator_for({"$ref": "#/$defs/io.k8s.api.core.v1.Pod", "$defs": definitions})


def complaint(pod: Body) -> str:
    """What is wrong with a Pod by the schema; empty when nothing is."""
    found = [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in _validator().iter_errors(pod)]
    return "; ".join(found[:3])


def violations(pod: Body) -> list[str]:
    """What Pod Security Admission's ``restricted`` profile has against it."""
    return list(_violations(pod["spec"]))


def _violations(spec: Body) -> Iterator[str]:
    of_pod = spec.get("securityContext", {})
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            yield name
    for volume in spec.get("volumes", ()):
        if not set(volume) - {"name"} <= VOLUMES:
            yield f"volume {volume['name']}"
    for container in spec["containers"]:
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            yield f"privileges of {container['name']}"
        if own.get("capabilities", {}).get("drop") != ["ALL"] or own.get("capabilities", {}).get("add"):
            yield f"capabilities of {container['name']}"
        if (
            not own.get("runAsNonRoot", of_pod.get("runAsNonRoot"))
            or own.get("runAsUser", of_pod.get("runAsUser")) == 0
        ):
            yield f"user of {container['name']}"
        kind = own.get("seccompProfile", of_pod.get("seccompProfile", {})).get("type")
        if kind not in ("RuntimeDefault", "Localhost"):
            yield f"seccompProfile of {container['name']}"
