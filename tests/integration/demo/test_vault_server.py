"""The demo's own OpenBao: each role reads its token and no other's, and no token is left in a file."""

from pathlib import Path

import pytest

from entropy.cli.demo import vault_server
from entropy.cli.demo.processes import Children
from entropy.cli.demo.signals import Interruption
from entropy.errors import SecretNotFound
from entropy.secrets.vault import VaultSecrets
from entropy.settings import VaultSettings
from tests.services import require


@pytest.mark.vault
def test_each_role_logs_in_as_itself_and_reads_its_own_token(tmp_path: Path) -> None:
    require((vault_server.OPS.parent / ".tools" / "vault").is_dir(), "OpenBao is not here; run ops/tools vault")
    tokens = {"coder": "for-the-coder", "scheduler": "for-the-scheduler"}
    with Children(tmp_path, Interruption()) as children:
        vault = vault_server.start(children)
        told = vault_server.fill(children, vault, tokens)
        approles = Path(told["ENTROPY_SECRETS__VAULT__APPROLE_DIRECTORY"])
        secrets = VaultSecrets(VaultSettings(address=vault.url, approle_directory=approles))
        for role, token in tokens.items():
            assert secrets.get(role, "github-token").reveal() == token
        with pytest.raises(SecretNotFound):
            secrets.get("merger", "github-token")
    holding = [path for path in tmp_path.rglob("*") if path.is_file() and b"for-the-" in path.read_bytes()]
    assert holding == []
