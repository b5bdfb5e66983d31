"""What a cluster refuses, or accepts and ignores, is said in one sentence with the next step, and leaves nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from entropy.errors import ConfigurationError, EntropyError, PolicyViolation, SandboxUnavailable
from entropy.sandbox.canaries import Guarantee
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend
from entropy.settings import SandboxSettings
from tests.integration.pods.conftest import PodsPlace
from tests.pods.api_server import Store, kubeconfig

pytestmark = pytest.mark.docker


def changed(place: PodsPlace, *, cluster: dict[str, object] | None = None, **changes: object) -> Backend:
    kubernetes = {**place.settings.kubernetes.model_dump(), **(cluster or {})}
    return make_backend(
        SandboxSettings.model_validate({**place.settings.model_dump(), "kubernetes": kubernetes, **changes})
    )


def _without(resource: str) -> Callable[[Store], None]:
    def take(store: Store) -> None:
        store.rights = {what: verbs for what, verbs in store.rights.items() if what[1] != resource}

    return take


def _fill(store: Store) -> None:
    store.quota = 0


def _fail(store: Store) -> None:
    store.failing = True


REFUSALS: dict[str, tuple[Callable[[Store], None], type[EntropyError], str]] = {
    "no right to Pods": (_without("pods"), ConfigurationError, r"cannot list .* Role"),
    "no right to exec": (_without("pods/exec"), ConfigurationError, r"pods/exec is forbidden.* Role"),
    "quota": (_fill, SandboxUnavailable, "exceeded quota.* wait"),
    "server": (_fail, SandboxUnavailable, "503 etcdserver"),
}
SETTINGS: dict[str, tuple[dict[str, object], type[EntropyError], str]] = {
    "namespace": ({"namespace": "nowhere"}, ConfigurationError, r"namespaces .nowhere. not found.* install the chart"),
    "nodes": ({"node_selector": {"pool": "none"}, "start_timeout": 1}, SandboxUnavailable, "didn't match.* add nodes"),
    "profile": ({"seccomp": "none.json"}, ConfigurationError, "CreateContainerError.*SECCOMP"),
    "kubeconfig": ({"kubeconfig": Path("/no/such/file")}, ConfigurationError, "no way to the cluster"),
    "no cluster": ({"kubeconfig": None}, ConfigurationError, "no way to the cluster.*KUBECONFIG"),
    "agent-sandbox": ({"agent_sandbox": "always"}, ConfigurationError, "install kubernetes-sigs/agent-sandbox"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_the_server_refuses(place: PodsPlace, run_id: str, what: str) -> None:
    change, error, sentence = REFUSALS[what]
    usual = dict(place.store.rights)
    change(place.store)
    with pytest.raises(error, match=sentence), changed(place).open(run_id) as sandbox:
        sandbox.exec(["true"])
    place.store.rights, place.store.failing = usual, False
    make_backend(place.settings).clear()
    assert place.remains() == []


@pytest.mark.parametrize("what", SETTINGS)
def test_what_no_cluster_can_do(place: PodsPlace, run_id: str, what: str) -> None:
    cluster, error, sentence = SETTINGS[what]
    with pytest.raises(error, match=sentence), changed(place, cluster=cluster).open(run_id):
        pytest.fail("a sandbox was opened")
    assert place.remains() == []


def test_a_server_that_is_not_there(place: PodsPlace, tmp_path: Path) -> None:
    backend = changed(place, cluster={"kubeconfig": kubeconfig(tmp_path / "config", 1)})
    with pytest.raises(SandboxUnavailable, match="does not serve"):
        backend.preflight()


def test_a_token_that_is_not_known(place: PodsPlace, tmp_path: Path, run_id: str) -> None:
    port = (place.settings.kubernetes.kubeconfig or Path()).read_text().partition("127.0.0.1:")[2].partition('"')[0]
    backend = changed(place, cluster={"kubeconfig": kubeconfig(tmp_path / "config", port, "another")})
    with pytest.raises(ConfigurationError, match=r"Unauthorized.* Role"), backend.open(run_id):
        pytest.fail("a sandbox was opened")


def test_an_image_that_nodes_have_not_got(place: PodsPlace, run_id: str) -> None:
    backend = changed(place, image="entropy-no-such-image:local")
    with pytest.raises(ConfigurationError, match=r"ImagePullBackOff.*registry"), backend.open(run_id):
        pytest.fail("a sandbox was opened")
    assert place.remains() == []


def test_a_way_out_is_refused_before_anything_is_asked(place: PodsPlace) -> None:
    egress = {"egress": {"agent_hosts": ("example.com",)}}
    before = len(place.store.created)
    with pytest.raises(ConfigurationError, match="no way out"):
        changed(place, **egress).preflight()
    assert changed(place, **egress, network=("setup",)).name == "kubernetes"
    assert len(place.store.created) == before


def test_a_node_without_a_bound_for_processes_is_refused(place: PodsPlace, run_id: str) -> None:
    place.store.kubelet.pids = 1000
    opened = changed(place, cluster={"node_selector": {"pool": "sandboxes"}}).open(run_id)
    with pytest.raises(ConfigurationError, match="podPidsLimit") as refused, opened:
        pytest.fail("a sandbox was opened")
    assert [one for one in Guarantee if one in str(refused.value)] == [Guarantee.PROCESSES]
    assert place.remains() == []


def test_a_cluster_that_ignores_network_policies_is_refused(place: PodsPlace, run_id: str) -> None:
    place.store.kubelet.isolates = False
    opened = changed(place, cluster={"node_selector": {"pool": "sandboxes"}}).open(run_id)
    with pytest.raises(ConfigurationError, match="NetworkPolicies") as refused, opened:
        pytest.fail("a sandbox was opened")
    assert [one for one in Guarantee if one in str(refused.value)] == [Guarantee.NETWORK]
    assert place.remains() == []


def test_without_our_filter_preflight_says_what_gets_through(
    place: PodsPlace, caplog: pytest.LogCaptureFixture
) -> None:
    lacked = changed(place, cluster={"seccomp": ""}).preflight()
    assert {Guarantee.FILES, Guarantee.TRACING} <= set(lacked)
    assert all(what in caplog.text for what in lacked)
    assert make_backend(place.settings).preflight() == (Guarantee.FILES,)


def test_a_sandbox_that_has_spent_its_lives_says_so(place: PodsPlace, run_id: str) -> None:
    with make_backend(place.settings).open(run_id) as sandbox:
        for _ in range(4):
            assert sandbox.exec(["sleep", "60"], timeout=0.2).timed_out
        with pytest.raises(PolicyViolation, match="4 times"):
            sandbox.exec(["true"])
