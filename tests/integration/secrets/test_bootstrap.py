"""ops/vault/bootstrap from the outside, against a server that knows nothing of Entropy yet."""

import stat
from pathlib import Path

import pytest

from entropy.secrets.vault import VaultSecrets
from entropy.settings import VaultSettings
from tests.integration.secrets.conftest import ROLES, OpenBao

pytestmark = pytest.mark.vault


@pytest.fixture
def given(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "coder_github_token").write_text("ghp_coder\n")
    (folder / "scheduler_github_token").write_text("ghp_scheduler")
    return folder


def test_each_role_reads_what_was_given_for_it(own_bao: OpenBao, given: Path) -> None:
    done = own_bao.bootstrap("--secrets", str(given))
    assert done.returncode == 0, done.stderr
    assert "ghp_" not in done.stdout + done.stderr
    secrets = VaultSecrets(own_bao.settings)
    assert secrets.get("coder", "github-token").reveal() == "ghp_coder"
    assert secrets.get("scheduler", "github-token").reveal() == "ghp_scheduler"


def test_the_credentials_are_for_their_owner_only(own_bao: OpenBao) -> None:
    own_bao.bootstrap()
    assert stat.S_IMODE(own_bao.approles.stat().st_mode) == 0o700
    files = sorted(own_bao.approles.iterdir())
    assert [file.name for file in files] == [f"{role}_{part}" for role in ROLES for part in ("role_id", "secret_id")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_again_changes_nothing(own_bao: OpenBao, given: Path) -> None:
    own_bao.bootstrap("--secrets", str(given))
    before = {file.name: file.read_text() for file in own_bao.approles.iterdir()}
    again = own_bao.bootstrap("--secrets", str(given))
    assert again.returncode == 0
    assert "wrote" not in again.stdout
    assert "new secret id" not in again.stdout
    assert {file.name: file.read_text() for file in own_bao.approles.iterdir()} == before
    metadata = own_bao.root.secrets.kv.v2.read_secret_metadata("entropy/coder/github-token")
    assert metadata["data"]["current_version"] == 1


def test_again_renews_what_no_longer_works(own_bao: OpenBao, given: Path) -> None:
    own_bao.bootstrap("--secrets", str(given))
    (own_bao.approles / "coder_secret_id").write_text("00000000-0000-0000-0000-000000000000\n")
    (given / "coder_github_token").write_text("ghp_rotated")
    assert own_bao.bootstrap("--secrets", str(given)).returncode == 0
    assert VaultSecrets(own_bao.settings).get("coder", "github-token").reveal() == "ghp_rotated"


def test_the_engine_may_be_elsewhere(own_bao: OpenBao, given: Path) -> None:
    done = own_bao.bootstrap("--secrets", str(given), "--mount", "team/kv")
    assert done.returncode == 0, done.stderr
    settings = VaultSettings(address=own_bao.address, mount="team/kv", approle_directory=own_bao.approles)
    assert VaultSecrets(settings).get("coder", "github-token").reveal() == "ghp_coder"


def test_a_file_of_no_role_is_refused_before_anything_is_written(own_bao: OpenBao, given: Path) -> None:
    (given / "stranger_github_token").write_text("x")
    done = own_bao.bootstrap("--secrets", str(given))
    assert done.returncode == 1
    assert "stranger_github_token belongs to no role; the roles are coder, merger, reviewer, scheduler." in done.stderr
    assert not own_bao.approles.exists()


def test_another_engine_in_the_place_is_refused(own_bao: OpenBao) -> None:
    own_bao.root.sys.enable_secrets_engine("kv", path="old", options={"version": "1"})
    done = own_bao.bootstrap("--mount", "old")
    assert (done.returncode, done.stderr) == (
        1,
        "ops/vault/bootstrap: old/ is not a KV v2 engine; choose another path with --mount.\n",
    )


def test_a_token_that_may_not_is_one_sentence(bao: OpenBao) -> None:
    done = bao.bootstrap(token="not-a-token")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "see its state and the token" in done.stderr


def test_no_server_is_one_sentence(bao: OpenBao) -> None:
    done = bao.bootstrap("--address", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.endswith("does not answer; see the address and whether it runs.\n")
