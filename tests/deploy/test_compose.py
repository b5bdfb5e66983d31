"""The compose file is what Docker Compose accepts, and each service has no more rights than it needs."""

from pathlib import Path

import pytest

from tests.deploy.manifests import ROOT, Document, compose, compose_config

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def document() -> Document:
    return compose()


def test_unknown_keys_are_caught(tmp_path: Path) -> None:
    text = (ROOT / "compose" / "compose.yaml").read_text()
    (tmp_path / "compose.yaml").write_text(text.replace("  read_only: true", "  read_onli: true"))
    config = compose_config(tmp_path / "compose.yaml")
    assert config.returncode != 0
    assert "read_onli" in config.stderr


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
    assert outward == {"control", "flower", "forge"}


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


def test_demo_forge_needs_its_profile(document: Document) -> None:
    profiles = {name: service["profiles"] for name, service in document["services"].items() if "profiles" in service}
    assert profiles == {"forge": ["demo"]}
