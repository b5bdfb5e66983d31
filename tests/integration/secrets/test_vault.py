"""What only a Vault can do: keep roles apart, let tokens expire, be sealed."""

import multiprocessing
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import permutations
from pathlib import Path
from typing import ClassVar

import hvac
import pytest

from entropy.errors import ConfigurationError, SecretNotFound, SecretsUnavailable
from entropy.secrets.vault import CACHE_SECONDS, VaultSecrets
from entropy.settings import VaultSettings
from tests.integration.secrets.conftest import ROLES, ROOT_TOKEN, OpenBao

pytestmark = pytest.mark.vault


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def acting_as(bao: OpenBao, role: str, folder: Path) -> VaultSettings:
    """Settings whose credentials are those of `role`, under every role's name: a process that lies about who it is."""
    for name in ROLES:
        for part in ("role_id", "secret_id"):
            path = folder / f"{name}_{part}"
            path.touch(mode=0o600)
            path.write_text((bao.approles / f"{role}_{part}").read_text())
    return VaultSettings(address=bao.address, approle_directory=folder)


def revoke_tokens(bao: OpenBao) -> int:
    """End every token but the administrator's; how many there were."""
    accessors = bao.root.auth.token.list_accessors()["data"]["keys"]
    own = bao.root.auth.token.lookup_self()["data"]["accessor"]
    others = [accessor for accessor in accessors if accessor != own]
    for accessor in others:
        bao.root.auth.token.revoke_accessor(accessor)
    return len(others)


def test_each_role_reads_its_own(bao: OpenBao) -> None:
    secrets = VaultSecrets(bao.settings)
    for role in ROLES:
        bao.put(role, "own", f"value of {role}")
    assert [secrets.get(role, "own").reveal() for role in ROLES] == [f"value of {role}" for role in ROLES]


@pytest.mark.parametrize(("role", "other"), list(permutations(ROLES, 2)))
def test_no_role_reads_another_s(bao: OpenBao, tmp_path: Path, role: str, other: str) -> None:
    bao.put(other, "private", "not for you")
    secrets = VaultSecrets(acting_as(bao, role, tmp_path))
    with pytest.raises(
        SecretNotFound, match=f"does not let {other} read secret/entropy/{other}/private; see the policy"
    ):
        secrets.get(other, "private")


def test_a_role_cannot_tell_whether_another_s_secret_exists(bao: OpenBao, tmp_path: Path) -> None:
    secrets = VaultSecrets(acting_as(bao, "coder", tmp_path))
    with pytest.raises(SecretNotFound, match="does not let"):
        secrets.get("merger", "never-written")


def test_a_role_cannot_write_or_list(bao: OpenBao) -> None:
    ids = [(bao.approles / f"coder_{part}").read_text().strip() for part in ("role_id", "secret_id")]
    client = hvac.Client(url=bao.address, token="")
    client.auth.approle.login(*ids)
    with pytest.raises(hvac.exceptions.Forbidden):
        client.secrets.kv.v2.create_or_update_secret("entropy/coder/x", {"value": "x"})
    with pytest.raises(hvac.exceptions.Forbidden):
        client.secrets.kv.v2.list_secrets("entropy/coder")
    client.adapter.close()


def test_a_token_that_was_revoked_is_replaced(bao: OpenBao) -> None:
    secrets = VaultSecrets(bao.settings)
    bao.put("coder", "one", "1")
    bao.put("coder", "two", "2")
    secrets.get("coder", "one")
    assert revoke_tokens(bao)
    assert secrets.get("coder", "two").reveal() == "2"


def test_a_token_that_expired_is_replaced(own_bao: OpenBao) -> None:
    own_bao.bootstrap()
    own_bao.root.auth.approle.create_or_update_approle(
        "coder", token_policies=["entropy-coder"], token_ttl="1s", token_max_ttl="1s"
    )
    own_bao.put("coder", "one", "1")
    own_bao.put("coder", "two", "2")
    secrets = VaultSecrets(own_bao.settings)
    secrets.get("coder", "one")
    deadline = time.monotonic() + 20
    while len(own_bao.root.auth.token.list_accessors()["data"]["keys"]) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert secrets.get("coder", "two").reveal() == "2"


def test_a_value_is_kept_a_minute_and_no_longer(bao: OpenBao) -> None:
    clock = Clock()
    secrets = VaultSecrets(bao.settings, clock=clock)
    bao.put("coder", "rotated", "old")
    secrets.get("coder", "rotated")
    bao.put("coder", "rotated", "new")
    clock.now = CACHE_SECONDS - 1
    assert secrets.get("coder", "rotated").reveal() == "old"
    clock.now = CACHE_SECONDS
    assert secrets.get("coder", "rotated").reveal() == "new"


def test_a_value_is_kept_no_longer_than_half_the_lease(own_bao: OpenBao) -> None:
    own_bao.bootstrap()
    own_bao.root.auth.approle.create_or_update_approle("coder", token_policies=["entropy-coder"], token_ttl="30s")
    clock = Clock()
    secrets = VaultSecrets(own_bao.settings, clock=clock)
    own_bao.put("coder", "short", "old")
    secrets.get("coder", "short")
    own_bao.put("coder", "short", "new")
    clock.now = 15
    assert secrets.get("coder", "short").reveal() == "new"


def test_what_was_deleted_is_missing(bao: OpenBao) -> None:
    bao.put("coder", "deleted", "x")
    bao.root.secrets.kv.v2.delete_latest_version_of_secret("entropy/coder/deleted")
    with pytest.raises(SecretNotFound, match="has no secret secret/entropy/coder/deleted"):
        VaultSecrets(bao.settings).get("coder", "deleted")


@pytest.mark.parametrize("entry", [{"other": "x"}, {"value": 3}, {"value": None}])
def test_an_entry_without_text_is_missing(bao: OpenBao, entry: dict[str, object]) -> None:
    bao.root.secrets.kv.v2.create_or_update_secret("entropy/coder/odd", entry)
    with pytest.raises(SecretNotFound, match="has no text under 'value'; write it there"):
        VaultSecrets(bao.settings).get("coder", "odd")


def test_sealed_is_worth_another_try(own_bao: OpenBao) -> None:
    own_bao.bootstrap()
    own_bao.put("coder", "one", "1")
    own_bao.put("coder", "two", "2")
    secrets = VaultSecrets(own_bao.settings)
    secrets.get("coder", "one")
    own_bao.root.sys.seal()
    with pytest.raises(SecretsUnavailable, match="see its status"):
        secrets.get("coder", "two")
    with pytest.raises(SecretsUnavailable):
        VaultSecrets(own_bao.settings).get("coder", "two")
    own_bao.unseal()
    assert secrets.get("coder", "two").reveal() == "2"


def test_nobody_listening_is_worth_another_try(bao: OpenBao) -> None:
    settings = VaultSettings(address="http://127.0.0.1:1", approle_directory=bao.approles)
    with pytest.raises(SecretsUnavailable, match="gives no secrets now"):
        VaultSecrets(settings).get("coder", "one")


def test_a_wrong_secret_id_says_what_to_run(bao: OpenBao, tmp_path: Path) -> None:
    settings = acting_as(bao, "coder", tmp_path)
    (tmp_path / "coder_secret_id").write_text("00000000-0000-0000-0000-000000000000")
    with pytest.raises(ConfigurationError, match="does not accept the AppRole of coder; run ops/vault/bootstrap"):
        VaultSecrets(settings).get("coder", "one")


def test_without_credentials_for_a_role_there_is_nothing(bao: OpenBao, tmp_path: Path) -> None:
    settings = VaultSettings(address=bao.address, approle_directory=tmp_path)
    with pytest.raises(SecretNotFound, match="coder_role_id"):
        VaultSecrets(settings).get("coder", "one")


def test_a_wrong_mount_is_not_taken_for_a_missing_secret(bao: OpenBao) -> None:
    settings = VaultSettings(address=bao.address, mount="elsewhere", approle_directory=bao.approles)
    with pytest.raises(SecretNotFound, match="elsewhere/entropy/coder/one"):
        VaultSecrets(settings).get("coder", "one")


def test_an_administrator_s_token_lying_about_is_not_adopted(
    bao: OpenBao, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".vault-token").write_text(ROOT_TOKEN)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("VAULT_TOKEN", ROOT_TOKEN)
    assert hvac.Client(url=bao.address).token == ROOT_TOKEN, "hvac has stopped doing so: this test can go"
    approles = tmp_path / "approles"
    approles.mkdir()
    bao.put("merger", "private", "not for you")
    with pytest.raises(SecretNotFound, match="does not let"):
        VaultSecrets(acting_as(bao, "coder", approles)).get("merger", "private")
    (approles / "coder_secret_id").write_text("wrong")
    with pytest.raises(ConfigurationError):
        VaultSecrets(VaultSettings(address=bao.address, approle_directory=approles)).get("coder", "one")


class _Recorder(BaseHTTPRequestHandler):
    """Notes what it is sent, and is never well."""

    seen: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.seen.append(str(self.headers))
        self.send_error(503)

    do_PUT = do_GET = do_POST

    def log_message(self, *arguments: object) -> None:
        """The test reads `seen`."""


def test_an_administrator_s_token_lying_about_is_not_sent_anywhere(
    bao: OpenBao, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", ROOT_TOKEN)
    with HTTPServer(("127.0.0.1", 0), _Recorder) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(SecretsUnavailable):
            VaultSecrets(VaultSettings(address=address, approle_directory=bao.approles)).get("coder", "one")
        thread.join()
    assert len(_Recorder.seen) == 1
    assert ROOT_TOKEN not in _Recorder.seen[0]


def test_a_fork_logs_in_for_itself(own_bao: OpenBao) -> None:
    own_bao.bootstrap()
    own_bao.put("coder", "one", "1")
    secrets = VaultSecrets(own_bao.settings)
    secrets.get("coder", "one")
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=lambda: there.send(secrets.get("coder", "one").reveal()))
    child.start()
    assert here.poll(30)
    assert here.recv() == "1"
    child.join(30)
    assert revoke_tokens(own_bao) == 2
