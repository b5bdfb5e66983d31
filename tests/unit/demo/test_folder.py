"""The demo's folder: private, new, and gone at the end."""

from pathlib import Path

import pytest

from entropy.cli.demo.failure import DemoFailed
from entropy.cli.demo.folder import folder


def test_a_folder_is_private_and_gone_at_the_end(tmp_path: Path) -> None:
    with folder(tmp_path / "demo") as place:
        assert place.stat().st_mode & 0o777 == 0o700
        locked = place / "sandboxes" / "locked"
        locked.mkdir()
        (locked / "file").touch()
        locked.chmod(0)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_goes_after_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(KeyError), folder(tmp_path / "demo"):
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_removed_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir(mode=0o755)
    with folder(tmp_path / "demo") as place:
        (place / "link").symlink_to(precious)
    assert precious.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(DemoFailed, match="name a folder that does not exist yet"), folder(tmp_path):
        pass
    assert tmp_path.is_dir()
