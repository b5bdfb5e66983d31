"""The chart renders to what Kubernetes accepts, strictly, and refuses values that it does not know."""

from typing import Any

import pytest

from tests.deploy.manifests import Document, check_chart

pytestmark = pytest.mark.deploy

SMALLEST: Document = {"github": {"repositories": ["acme/widgets"]}}
OWN_REDIS: Document = SMALLEST | {
    "redis": {"enabled": False, "host": "redis.example", "tls": True, "networks": [{"cidr": "10.1.2.3/32"}]},
    "flower": {"enabled": False},
    "image": {"repository": "registry.example/entropy", "digest": "sha256:" + "0" * 64},
}
ANOTHER_ROLE: Document = SMALLEST | {
    "roles": {"planner": {side: {"replicas": 3, "concurrency": 4} for side in ("control", "sandbox")}},
    "secrets": {"planner": "entropy-planner"},
    "settings": {"ENTROPY_LOG__LEVEL": "DEBUG"},
    "imagePullSecrets": [{"name": "registry"}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "agents", "operator": "Exists"}],
    "networkPolicies": False,
}


@pytest.fixture(
    scope="module", params=[SMALLEST, OWN_REDIS, ANOTHER_ROLE], ids=["smallest", "own-redis", "another-role"]
)
def chart(request: pytest.FixtureRequest) -> Document:
    return check_chart(request.param)


def _pods(chart: Document) -> list[Document]:
    return [item["spec"]["template"]["spec"] for item in chart["documents"] if "template" in item.get("spec", ())]


def test_kubernetes_accepts_it(chart: Document) -> None:
    assert chart.get("error") is None
    assert chart["invalid"] == []
    assert [message for message in chart["lint"] if message["severity"] > 1] == []


def test_names_are_unique(chart: Document) -> None:
    names = [(item["kind"], item["metadata"]["name"]) for item in chart["documents"]]
    assert len(names) == len(set(names))


def test_pods_are_restricted(chart: Document) -> None:
    accounts = [pod["serviceAccountName"] for pod in _pods(chart)]
    assert len(accounts) == len(set(accounts))
    for pod in _pods(chart):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


def test_beat_never_runs_twice(chart: Document) -> None:
    (beat,) = (
        item["spec"] for item in chart["documents"] if item["metadata"]["name"] == "entropy-beat" and "spec" in item
    )
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})


def test_each_side_reaches_what_it_needs_and_no_more() -> None:
    policies = {
        item["metadata"]["name"]: item["spec"]
        for item in check_chart(SMALLEST)["documents"]
        if item["kind"] == "NetworkPolicy"
    }
    ports = {
        name: sorted({port["port"] for rule in policy.get("egress", ()) for port in rule["ports"]})
        for name, policy in policies.items()
    }
    assert ports == {
        "entropy-default": [],
        "entropy-processes": [53, 6379],
        "entropy-redis": [],
        "entropy-control": [443],
        "entropy-sandbox": [2375],
    }
    assert policies["entropy-default"]["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "/github/repositories"),
        ({"github": {"repositories": ["widgets"]}}, "/github/repositories/0"),
        (SMALLEST | {"replicas": 3}, "'replicas' not allowed"),
        (SMALLEST | {"roles": {"coder": {"contol": {}}}}, "'contol' not allowed"),
        (SMALLEST | {"redis": {"enabled": False}}, "/redis/host"),
        (SMALLEST | {"sandbox": {"dockerHost": "unix:///var/run/docker.sock"}}, "/sandbox/dockerHost"),
        (SMALLEST | {"settings": {"REDIS_URL": "x"}}, "'REDIS_URL' does not match"),
        (SMALLEST | {"roles": ANOTHER_ROLE["roles"]}, "name the Secret with the token of role planner"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any], complaint: str) -> None:
    assert complaint in check_chart(values)["error"]
