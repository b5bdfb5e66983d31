"""The compose file is what Docker Compose accepts, and each service has no more rights than it needs."""

import subprocess
from pathlib import Path

import pytest

from entropy.scheduling.receiver import HEALTH
from tests.deploy.manifests import OF_APPS, ROOT, WIDGETS, Document, compose, compose_config

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def document() -> Document:
    return compose()


def test_unknown_keys_are_caught(tmp_path: Path) -> None:
    text = (ROOT / "compose" / "compose.yaml").read_text()
    (tmp_path / "compose.yaml").write_text(text.replace("  read_only: true", "  read_onli: true"))
    config = compose_config(tmp_path / "compose.yaml", **WIDGETS)
    assert config.returncode != 0
    assert "read_onli" in config.stderr


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({}, "name the repositories to serve"),
        ({"ENTROPY_GITHUB__REPOSITORIES": ""}, "name the Apps by id"),
        (OF_APPS, ""),
    ],
)
def test_it_says_what_it_has_to_be_told(environment: dict[str, str], complaint: str) -> None:
    files = [ROOT / "compose" / name for name in ("compose.yaml", "apps.yaml")]
    config = compose_config(*files, **environment)
    assert (config.returncode != 0) == bool(complaint)
    assert complaint in config.stderr


def test_services_are_hardened(document: Document) -> None:
    for name, service in document["services"].items():
        if name == "engine":  # privileged on purpose; it has no network instead
            assert service["network_mode"] == "none"
            continue
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["init"], name
        assert service["pids_limit"] <= 256, name
        assert int(service["mem_limit"]) <= 1 << 30, name
        assert not service.get("privileged"), name


def test_only_the_control_side_has_a_way_out(document: Document) -> None:
    assert document["networks"]["broker"]["internal"]
    outward = {
        name
        for name, service in document["services"].items()
        if set(service.get("networks", ())) - {"broker"} and service["image"] == "entropy:local"
    }
    assert outward == {"control", "flower", "forge", "webhooks"}


def test_health_is_asked_where_it_is_said(document: Document) -> None:
    webhooks = document["services"]["webhooks"]
    port = webhooks["command"][webhooks["command"].index("--port") + 1]
    assert [str(published["target"]) for published in webhooks["ports"]] == [port]
    assert f"http://127.0.0.1:{port}{HEALTH}'" in webhooks["healthcheck"]["test"][-1]


def test_who_is_reached_from_outside_reaches_nobody_but_redis(document: Document) -> None:
    networks = {name: set(service.get("networks", ())) for name, service in document["services"].items()}
    assert networks["webhooks"] == {"broker", "hooks"}
    assert [name for name, joined in networks.items() if "hooks" in joined] == ["webhooks"]


def test_ports_are_the_machines_own(document: Document) -> None:
    ports = [port for service in document["services"].values() for port in service.get("ports", ())]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_the_host_engine_is_never_mounted(document: Document) -> None:
    binds = [
        volume["source"]
        for service in document["services"].values()
        for volume in service.get("volumes", ())
        if volume["type"] == "bind"
    ]
    assert binds == []


def test_what_not_everybody_needs_has_a_profile(document: Document) -> None:
    profiles = {name: service["profiles"] for name, service in document["services"].items() if "profiles" in service}
    assert profiles == {"forge": ["demo"], "webhooks": ["webhooks"]}


def test_apps_change_the_control_side_and_nothing_else(document: Document) -> None:
    """Which private keys it then holds is a question of test_manifests."""
    services, of_apps = document["services"], compose("apps.yaml", **OF_APPS)["services"]
    assert of_apps.keys() == services.keys()
    assert [name for name in services if services[name] != of_apps[name]] == ["control"]
    changed = {key for key in services["control"] if services["control"][key] != of_apps["control"][key]}
    assert changed == {"environment", "secrets"}


def test_secrets_are_not_for_git() -> None:
    names = ["compose/secrets/coder_github_app_key", "compose/.env"]
    ignored = subprocess.run(
        ["git", "check-ignore", *names], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert ignored.stdout.split() == names
