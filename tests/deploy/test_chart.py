"""The chart renders to what Kubernetes accepts, strictly, and refuses values that it does not know."""

import re
from typing import Any

import pytest

from entropy.scheduling.receiver import HEALTH, PATH
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
OF_APPS: Document = {
    "github": {"apps": {"*": 1234567, "coder": 7654321}, "deny": ["acme/secret-*"]},
    "webhooks": {
        "enabled": True,
        "ingress": {"enabled": True, "host": "hooks.example", "className": "nginx", "tlsSecret": "hooks-tls"},
    },
}
PODS: Document = SMALLEST | {
    "sandbox": {
        "image": "registry.example/sandbox@sha256:" + "0" * 64,
        "kubernetes": {
            "enabled": True,
            "runtimeClass": "gvisor",
            "seccomp": "entropy.json",
            "nodeSelector": {"pool": "sandboxes"},
            "images": ["registry.example/large:1"],
            "imagePullSecrets": [{"name": "registry"}],
        },
    }
}


@pytest.fixture(
    scope="module",
    params=[SMALLEST, OWN_REDIS, ANOTHER_ROLE, OF_APPS, PODS],
    ids=["smallest", "own-redis", "another-role", "apps-and-webhooks", "pods"],
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
        knows_cluster = any(item["kind"] == "Namespace" for item in chart["documents"])
        is_sandbox_worker = pod["containers"][0]["name"] == "sandbox"
        assert pod["automountServiceAccountToken"] is (knows_cluster and is_sandbox_worker)
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


def test_webhooks_are_off_unless_asked_for() -> None:
    smallest = check_chart(SMALLEST)
    assert [item for item in smallest["documents"] if "webhooks" in item["metadata"]["name"]] == []
    assert "webhook" not in smallest["notes"]


def test_webhooks_come_in_by_tls_and_by_nobody_but_the_ingress() -> None:
    found = _webhooks(OF_APPS)
    (container,) = found["Deployment"]["template"]["spec"]["containers"]
    (port,) = container["ports"]
    assert str(port["containerPort"]) == container["args"][container["args"].index("--port") + 1]
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": HEALTH, "port": port["name"]}
    assert found["Service"]["ports"] == [{"name": "http", "port": 80, "targetPort": port["name"]}]
    assert found["NetworkPolicy"]["ingress"] == [
        {
            "ports": [{"protocol": "TCP", "port": port["containerPort"]}],
            "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}],
        }
    ]
    assert found["Ingress"]["tls"] == [{"hosts": ["hooks.example"], "secretName": "hooks-tls"}]
    (rule,) = found["Ingress"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == ("hooks.example", PATH, "Exact")
    assert path["backend"]["service"] == {"name": "entropy-webhooks", "port": {"name": "http"}}


def test_several_receivers_are_not_drained_at_once() -> None:
    one = OF_APPS["webhooks"] | {"replicas": 1}
    assert _webhooks(OF_APPS)["Deployment"]["replicas"] == 2
    assert _webhooks(OF_APPS)["PodDisruptionBudget"]["maxUnavailable"] == 1
    assert "PodDisruptionBudget" not in _webhooks(OF_APPS | {"webhooks": one})


def test_without_an_ingress_a_service_is_there_for_your_own() -> None:
    assert "Ingress" not in _webhooks(SMALLEST | {"webhooks": {"enabled": True}})


def test_the_scheduler_keeps_no_mirrors() -> None:
    """It looks and speaks; repositories are for the roles' workers."""
    pods = {pod["serviceAccountName"]: pod for pod in _pods(check_chart(SMALLEST))}
    keepers = {name for name, pod in pods.items() if "mirrors" in [volume["name"] for volume in pod["volumes"]]}
    assert keepers == {f"entropy-{role}-control" for role in ("coder", "reviewer", "merger")}


def test_notes_name_every_secret_that_pods_mount(chart: Document) -> None:
    mounted = {
        (source["secret"]["name"], source["secret"]["items"][0]["key"])
        for pod in _pods(chart)
        for volume in pod["volumes"]
        for source in volume.get("projected", {}).get("sources", ())
    }
    named = {(name, key) for name, key in re.findall(r"^  ([a-z-]+): (\w+)$", chart["notes"], re.MULTILINE)}
    assert named == mounted


def _webhooks(values: Document) -> Document:
    """The specification of each kind of document that is about webhooks."""
    return {
        item["kind"]: item["spec"]
        for item in check_chart(values)["documents"]
        if item["metadata"]["name"] == "entropy-webhooks" and "spec" in item
    }


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
        (SMALLEST | {"roles": ANOTHER_ROLE["roles"]}, "name the Secret with the github_token of role planner"),
        ({"github": {"apps": {"coder": 12}}}, "/github/repositories"),
        ({"github": {"apps": {"*": 12, "codr": 13}}}, "github.apps.codr: there is no role codr"),
        ({"github": {"apps": {"*": "12"}}}, "/github/apps"),
        (OF_APPS | {"webhooks": {"enabled": True, "ingress": {"enabled": True}}}, "/webhooks/ingress/host"),
        (OF_APPS | {"webhooks": {"enabled": True, "clients": []}}, "/webhooks/clients"),
        (SMALLEST | {"sandbox": {"kubernetes": {"enabled": True, "namespace": "agents"}}}, "a namespace of their own"),
        (SMALLEST | {"sandbox": {"kubernetes": {"seccomp": "/entropy.json"}}}, "/sandbox/kubernetes/seccomp"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any], complaint: str) -> None:
    assert complaint in check_chart(values)["error"]
