"""Fixtures of the tests of Pods: a stand-in for the cluster, which runs them on the Docker daemon of this machine."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend, Sandbox
from entropy.settings import SandboxSettings
from tests.integration.sandbox.places import MARK, SMALL, DockerPlace
from tests.pods.api_server import Store, api_server

FILTER = Path(__file__).parents[3] / "k8s" / "entropy" / "files" / "seccomp.json"


class PodsPlace:
    """The stand-in's Pods."""

    def __init__(self, store: Store, kubeconfig: Path) -> None:
        self.store = store
        cluster = {"kubeconfig": kubeconfig, "seccomp": "entropy.json", "start_timeout": 60}
        self.settings = SandboxSettings(backend="kubernetes", kubernetes=cluster, owner=MARK, **SMALL)

    def remains(self) -> list[str]:
        """What the server knows, and what the daemon does."""
        client, label = self.store.kubelet.client, {"label": f"pods={self.store.kubelet.mark}"}
        containers = client.containers.list(all=True, filters=label, ignore_removed=True)
        return [*self.store.pods, *self.store.sandboxes, *(container.name for container in containers)]


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodsPlace]:
    folder = tmp_path_factory.mktemp("cluster")
    DockerPlace(folder).close()  # daemon and image are there
    with api_server(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"), folder) as (store, kubeconfig):
        (store.kubelet.profiles / "entropy.json").write_bytes(FILTER.read_bytes())
        yield PodsPlace(store, kubeconfig)


@pytest.fixture
def place(_server: PodsPlace) -> Iterator[PodsPlace]:
    store, kubelet = _server.store, _server.store.kubelet
    usual = (dict(store.rights), store.quota, kubelet.pids)
    yield _server
    store.rights, store.quota, kubelet.pids = usual
    store.offers_sandboxes = store.failing = store.held = False
    kubelet.isolates = True


@pytest.fixture
def backend(place: PodsPlace) -> Backend:
    return make_backend(place.settings)


@pytest.fixture
def run_id() -> str:
    return f"{MARK}-{uuid.uuid4().hex}"


@pytest.fixture
def sandbox(backend: Backend, run_id: str) -> Iterator[Sandbox]:
    with backend.open(run_id) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def peephole(_server: PodsPlace) -> Iterator[Sandbox]:
    """A sandbox for tests that only look around."""
    with make_backend(_server.settings).open(f"{MARK}-{uuid.uuid4().hex}") as sandbox:
        yield sandbox
