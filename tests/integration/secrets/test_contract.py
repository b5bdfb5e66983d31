"""What every secret provider keeps to, whichever it is."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from entropy.errors import SecretNotFound
from entropy.secrets import SecretProvider
from entropy.secrets.environment import EnvironmentSecrets
from entropy.secrets.files import FileSecrets
from entropy.secrets.vault import VaultSecrets
from tests.integration.secrets.conftest import OpenBao

Store = Callable[[str, str, str], None]


@pytest.fixture(params=["files", "environment", pytest.param("vault", marks=pytest.mark.vault)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> tuple[SecretProvider, Store]:
    """A provider, and how its administrator stores a secret."""
    if kind == "vault":
        bao: OpenBao = request.getfixturevalue("bao")
        return VaultSecrets(bao.settings), bao.put
    if kind == "files":

        def write(role: str, name: str, value: str) -> None:
            path = tmp_path / f"{role}_{name.replace('-', '_')}"
            path.touch(mode=0o600)
            path.write_text(value)

        return FileSecrets(tmp_path), write

    def export(role: str, name: str, value: str) -> None:
        monkeypatch.setenv(f"ENTROPY_SECRET_{role}_{name}".replace("-", "_").upper(), value)

    return EnvironmentSecrets(), export


def test_what_was_stored_is_given(place: tuple[SecretProvider, Store]) -> None:
    provider, store = place
    store("coder", "github-token", "ghp_contract")
    store("reviewer", "github-token", "ghp_other")
    assert provider.get("coder", "github-token").reveal() == "ghp_contract"
    assert provider.get("reviewer", "github-token").reveal() == "ghp_other"


def test_what_is_given_does_not_show_itself(place: tuple[SecretProvider, Store]) -> None:
    provider, store = place
    store("coder", "shy", "ghp_shy")
    secret = provider.get("coder", "shy")
    assert "ghp_shy" not in f"{secret} {secret!r}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps({"secret": secret})


def test_what_is_missing_is_one_sentence_with_the_next_step(place: tuple[SecretProvider, Store]) -> None:
    with pytest.raises(SecretNotFound) as caught:
        place[0].get("coder", "missing")
    sentence = str(caught.value)
    assert "missing" in sentence.lower()
    assert ";" in sentence
    assert sentence.endswith(".")


def test_what_is_empty_counts_as_missing(place: tuple[SecretProvider, Store]) -> None:
    provider, store = place
    store("coder", "empty", "")
    with pytest.raises(SecretNotFound):
        provider.get("coder", "empty")


@pytest.mark.parametrize("part", ["../coder", "a/b", "", "A", "a\0", "..", "-a", "a_b", "%2e%2e"])
def test_names_lead_nowhere_else(place: tuple[SecretProvider, Store], part: str) -> None:
    provider, _ = place
    with pytest.raises(SecretNotFound, match="cannot be part of a secret's name"):
        provider.get(part, "github-token")
    with pytest.raises(SecretNotFound, match="cannot be part of a secret's name"):
        provider.get("coder", part)
