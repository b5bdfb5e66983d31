"""The hosts of package indexes: read from the worker's own tools, and no credentials with them."""

import os
from pathlib import Path

import pytest

from entropy.errors import ConfigurationError
from entropy.sandbox.egress.indexes import read_indexes
from entropy.sandbox.egress.rules import Rules
from entropy.sandbox.egress.verdicts import Phase
from entropy.settings import EgressSettings
from tests.services import require

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def test_what_pip_is_told_is_what_may_be_reached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nindex-url = https://user:hunter2@Mirror.example.com/simple\ncert = /some/where.pem\n"
        "extra-index-url = https://two.example.com:8443/simple file:///srv/wheels\n    http://plain.example.com/\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    found = read_indexes()
    assert found.pip == "https://Mirror.example.com/simple"
    assert found.extra == ("https://two.example.com:8443/simple",)
    assert found.certificates == Path("/some/where.pem")
    assert found.places[:2] == (("mirror.example.com", 443), ("two.example.com", 8443))
    assert "hunter2" not in repr(found)


def test_the_environment_is_stronger_than_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = https://one.example.com/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_INDEX_URL", "https://two.example.com/simple")
    assert read_indexes().pip == "https://two.example.com/simple"


def test_without_configuration_pip_says_where_it_looks_and_where_the_files_are() -> None:
    found = read_indexes()
    assert found.pip == ""
    hosts = [host for host, _ in found.places]
    assert len(hosts) >= 2
    assert len(set(hosts)) == len(hosts)


def test_npm_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    npm = ROOT / ".tools" / "node" / "bin" / "npm"
    require(npm.exists(), "npm; install it with: ops/tools node")
    monkeypatch.setenv("PATH", f"{npm.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("npm_config_registry", "https://packages.example.com/npm/")
    found = read_indexes()
    assert found.npm == "https://packages.example.com/npm/"
    assert ("packages.example.com", 443) in found.places


@pytest.mark.parametrize(
    "settings",
    [
        {"setup_hosts": ("10.0.0.1",)},
        {"setup_hosts": ("*.example.com",)},
        {"agent_hosts": ("https://example.com",)},
        {"networks": ("10.0.0.1/8",)},
        {"networks": ("inside",)},
        {"models": {"acme": "https://models.example.com"}},
        {"models": {"openai": "http://models.example.com"}},
        {"models": {"openai": "https://127.0.0.1/v1"}},
        {"models": {"openai": "https://key@models.example.com/v1"}},
    ],
)
def test_rules_that_would_open_more_than_they_say_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        Rules.of(EgressSettings.model_validate(settings))


def test_without_settings_no_phase_leads_anywhere() -> None:
    rules = Rules.of(EgressSettings())
    assert not any(rules.leads_out(phase) for phase in Phase)
