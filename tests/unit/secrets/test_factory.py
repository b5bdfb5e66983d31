from pathlib import Path
from typing import Literal

import pytest

from entropy.secrets import make_provider
from entropy.secrets.environment import EnvironmentSecrets
from entropy.secrets.files import FileSecrets
from entropy.secrets.vault import VaultSecrets
from entropy.settings import SecretSettings

KINDS = {"files": FileSecrets, "vault": VaultSecrets, "environment": EnvironmentSecrets}


@pytest.mark.parametrize("kind", ["files", "vault", "environment"])
def test_the_settings_name_the_provider(kind: Literal["files", "vault", "environment"]) -> None:
    assert type(make_provider(SecretSettings(provider=kind))) is KINDS[kind]


def test_the_directory_is_the_settings_one(tmp_path: Path) -> None:
    path = tmp_path / "coder_github_token"
    path.touch(mode=0o600)
    path.write_text("ghp_x")
    provider = make_provider(SecretSettings(provider="files", directory=tmp_path))
    assert provider.get("coder", "github-token").reveal() == "ghp_x"
