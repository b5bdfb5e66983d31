"""The chart's namespace for sandboxes: what is in it, who may do what there, and that it fits the code."""

import json

import pytest

from entropy.sandbox.backends import seccomp
from entropy.sandbox.backends.pods import COLLECTOR, LIVES, RIGHTS, pod
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxSettings
from tests.deploy.manifests import CHART, Document, check_chart
from tests.deploy.test_chart import PODS

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    found: list[Document] = check_chart(PODS)["documents"]
    return found


@pytest.fixture(scope="module")
def inside(documents: list[Document]) -> dict[str, Document]:
    """What the chart makes in the namespace of sandboxes, by kind."""
    found = [item for item in documents if item["metadata"].get("namespace") == "entropy-sandboxes"]
    assert len({item["kind"] for item in found}) == len(found)
    return {item["kind"]: item for item in found}


def test_a_worker_may_do_there_what_the_code_does_and_nothing_else(inside: dict[str, Document]) -> None:
    given = {
        (group, resource): sorted(rule["verbs"])
        for rule in inside["Role"]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert given == {what: sorted(verbs) for what, verbs in RIGHTS.items()}
    assert not [rule for rule in inside["Role"]["rules"] if "*" in json.dumps(rule)]


def test_nobody_but_sandbox_workers_may(documents: list[Document], inside: dict[str, Document]) -> None:
    subjects = {(subject["name"], subject["namespace"]) for subject in inside["RoleBinding"]["subjects"]}
    workers = {f"entropy-{role}-sandbox" for role in ("coder", "reviewer", "merger")}
    assert subjects == {(name, "agents") for name in {*workers, "entropy-reaper"}}
    bound = [item for item in documents if item["kind"].endswith("RoleBinding")]
    assert len(bound) == 1


def test_there_is_no_network_no_secret_and_an_end_to_everything(inside: dict[str, Document]) -> None:
    assert inside["NetworkPolicy"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert "Secret" not in inside
    assert "ConfigMap" not in inside
    hard = inside["ResourceQuota"]["spec"]["hard"]
    assert {"pods", "requests.cpu", "requests.memory"} <= set(hard)
    assert hard["secrets"] == hard["services"] == "0"
    assert inside["ServiceAccount"]["automountServiceAccountToken"] is False


def test_the_namespace_takes_restricted_pods_only(documents: list[Document]) -> None:
    (namespace,) = (item for item in documents if item["kind"] == "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_pod_of_ours_keeps_within_the_limits_of_a_container(inside: dict[str, Document]) -> None:
    settings = SandboxSettings(backend="kubernetes")
    body = pod("x", SandboxPolicy.of(settings), settings.kubernetes, labels={})
    (limit,) = inside["LimitRange"]["spec"]["limits"]
    for container in body["spec"]["containers"]:
        assert set(container["resources"]["limits"]) == set(limit["max"])
        assert int(container["resources"]["limits"]["memory"]) <= int(limit["max"]["memory"].removesuffix("Gi")) << 30
    assert [container["name"] for container in body["spec"]["containers"]] == [*LIVES, COLLECTOR]


def test_the_admission_policy_names_what_the_values_do(documents: list[Document]) -> None:
    (policy,) = (item for item in documents if item["kind"] == "ValidatingAdmissionPolicy")
    said = "\n".join(rule["expression"] for rule in policy["spec"]["validations"])
    for wanted in (PODS["sandbox"]["image"], "registry.example/large:1", "'gvisor'", "'entropy.json'", "== 10001"):
        assert wanted in said.replace('"gvisor"', "'gvisor'").replace('"entropy.json"', "'entropy.json'")
    (binding,) = (item for item in documents if item["kind"] == "ValidatingAdmissionPolicyBinding")
    assert binding["spec"] == {"policyName": policy["metadata"]["name"], "validationActions": ["Deny"]}


def test_the_profile_for_nodes_is_the_one_that_docker_gets() -> None:
    """In the form that container runtimes read from a file: machines by name, and no map of them."""
    profile = json.loads(seccomp.profile())
    machines = [machine["architecture"] for machine in profile.pop("archMap")]
    assert json.loads((CHART / "files" / "seccomp.json").read_text()) == {**profile, "architectures": machines}
