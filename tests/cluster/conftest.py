"""A cluster in containers by pytest-celery: its fixtures, with our images in place of those that it would pull."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException
from pytest_celery import CELERY_REDIS_BROKER, CeleryTestWorker, CeleryWorkerContainer, RedisContainer
from pytest_docker_tools import container, fxtr

from tests.services import require

ROOT = Path(__file__).parents[2]


class Broker(RedisContainer):  # type: ignore[misc]
    """Reached at its own address: a daemon without firewall rules publishes no ports."""

    @property
    def url(self) -> str:
        return f"redis://{self.ips.primary}:6379/0"

    host_url = url

    @property
    def port(self) -> int:
        return 6379

    @classmethod
    def ports(cls) -> dict[str, str] | None:
        return None


class Worker(CeleryWorkerContainer):  # type: ignore[misc]
    """``celery -A entropy worker`` in the image of the Dockerfile, with all queues."""

    @classmethod
    def command(cls, *args: str, **kwargs: object) -> list[str]:
        return ["worker", "-n", f"{cls.worker_name()}@%h", "-c", "1"]

    @classmethod
    def worker_name(cls) -> str:
        return "cluster"


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    try:
        client = docker.from_env()
        client.ping()
    except DockerException:
        require(None, "a Docker daemon; start one with: ops/services/docker start FOLDER")
        raise
    with_base = any("entropy-sandbox:local" in image.tags for image in client.images.list())
    require(with_base, "the sandbox image; make it with: ops/images/build")
    yield client
    client.close()


@pytest.fixture(scope="session")
def images(docker_client: docker.DockerClient) -> None:
    """entropy:local and entropy-redis:local, as they are in the working tree now."""
    subprocess.run([ROOT / "ops" / "images" / "worker"], check=True, timeout=170)


@pytest.fixture
def celery_broker(request: pytest.FixtureRequest) -> object:
    return request.getfixturevalue(CELERY_REDIS_BROKER)


@pytest.fixture
def default_redis_broker_cls() -> type[Broker]:
    return Broker


@pytest.fixture
def default_redis_broker_image(images: None) -> str:
    return "entropy-redis:local"


@pytest.fixture
def celery_backend_cluster() -> None:
    """Stages keep no results; their run is the record."""


@pytest.fixture
def default_worker_container_cls() -> type[Worker]:
    return Worker


@pytest.fixture
def default_worker_env(celery_broker_cluster_config: dict[str, list[str]]) -> dict[str, str]:
    return {"ENTROPY_REDIS__URL": celery_broker_cluster_config["urls"][0]}


default_redis_broker = container(
    image="{default_redis_broker_image}",
    network="{default_pytest_celery_network.name}",
    command=fxtr("default_redis_broker_command"),
    wrapper_class=Broker,
)

default_worker_container = container(
    image="entropy:local",
    network="{default_pytest_celery_network.name}",
    command=fxtr("default_worker_command"),
    environment=fxtr("default_worker_env"),
    wrapper_class=Worker,
    read_only=True,
    tmpfs={"/tmp": ""},
    cap_drop=["ALL"],
    security_opt=["no-new-privileges"],
    init=True,
    pids_limit=256,
)


@pytest.fixture
def worker(celery_setup: object, celery_worker: CeleryTestWorker) -> CeleryTestWorker:
    return celery_worker
