"""The Redis password can stay in a file."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from entropy.settings import RedisSettings


def test_password_comes_out_of_its_file_into_the_url(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a/b@c\n")
    settings = RedisSettings(url="rediss://entropy@redis:6380/2", password_file=tmp_path / "password")
    assert settings.url == "rediss://entropy:a%2Fb%40c@redis:6380/2"


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"cannot be read.*nowhere"):
        RedisSettings(password_file=tmp_path / "nowhere")
