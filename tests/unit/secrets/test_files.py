from pathlib import Path

import pytest

from entropy.errors import ConfigurationError, SecretNotFound
from entropy.secrets.files import FileSecrets


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "coder_github_token"
    path.touch(mode=0o600)
    path.write_text("ghp_x\n")
    return path


@pytest.mark.parametrize("text", ["ghp_x", "ghp_x\n", "ghp_x\r\n"])
def test_the_line_end_is_not_part_of_it(token: Path, text: str) -> None:
    token.write_text(text)
    assert FileSecrets(token.parent).get("coder", "github-token").reveal() == "ghp_x"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_can_read_is_refused(token: Path, mode: int) -> None:
    token.chmod(mode)
    with pytest.raises(ConfigurationError, match="is open to other users; run: chmod 600") as caught:
        FileSecrets(token.parent).get("coder", "github-token")
    assert "ghp_x" not in str(caught.value)


def test_below_the_platform_s_mount_its_modes_are_taken(token: Path) -> None:
    token.chmod(0o444)
    secrets = FileSecrets(token.parent, mount=token.parent)
    assert secrets.get("coder", "github-token").reveal() == "ghp_x"


def test_a_rotated_secret_is_seen_at_once(token: Path) -> None:
    secrets = FileSecrets(token.parent)
    secrets.get("coder", "github-token")
    token.write_text("ghp_y")
    assert secrets.get("coder", "github-token").reveal() == "ghp_y"


def test_an_empty_file_is_no_secret(token: Path) -> None:
    token.write_text("\n")
    with pytest.raises(SecretNotFound, match="is empty; write the value into it"):
        FileSecrets(token.parent).get("coder", "github-token")


def test_what_is_no_text_is_refused_without_being_shown(token: Path) -> None:
    token.write_bytes(b"ghp_\xff")
    with pytest.raises(ConfigurationError, match="cannot be read as a secret") as caught:
        FileSecrets(token.parent).get("coder", "github-token")
    assert "ghp_" not in str(caught.value)


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "coder_github_token").mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match="cannot be read as a secret"):
        FileSecrets(tmp_path).get("coder", "github-token")
