"""What is particular to one backend: preflight, what may be shown, what an image must be."""

import sys
from contextlib import closing
from pathlib import Path

import pytest

from entropy.errors import ConfigurationError, SandboxUnavailable
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend
from entropy.settings import SandboxSettings
from tests.integration.sandbox.places import BubblewrapPlace, DockerPlace, Place


def changed(place: Place, **changes: object) -> Backend:
    return make_backend(SandboxSettings.model_validate({**place.settings.model_dump(), **changes}))


def test_preflight_passes_and_leaves_nothing(place: Place, backend: Backend) -> None:
    backend.preflight()
    backend.preflight()
    assert place.remains() == []


@pytest.mark.bubblewrap
def test_a_symlinked_environment_is_shown_at_both_its_paths(tmp_path: Path, run_id: str) -> None:
    place = BubblewrapPlace(tmp_path)
    link = tmp_path / "environment"
    link.symlink_to(sys.prefix)
    backend = changed(place, binds=(link, Path(sys.base_prefix)), path=f"{link}/bin:/usr/bin:/bin")
    with backend.open(run_id) as sandbox:
        result = sandbox.exec(["python", "-c", "import sys, pytest; print(sys.prefix)"])
        beside = sandbox.exec(["ls", str(Path(sys.prefix).parent)])
    assert result.exit_status == 0, result
    assert result.stdout.strip() in (str(link), sys.prefix)
    assert beside.stdout.split() in ([], [Path(sys.prefix).name])


@pytest.mark.bubblewrap
@pytest.mark.parametrize("bind", ["/", "relative", "/no/such/folder", "/usr/.."])
def test_folders_that_cannot_be_shown_are_refused(tmp_path: Path, bind: str) -> None:
    with pytest.raises(ConfigurationError, match="ENTROPY_SANDBOX__BINDS"):
        changed(BubblewrapPlace(tmp_path), binds=(bind,))


@pytest.mark.bubblewrap
def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="ENTROPY_SANDBOX__DIRECTORY"):
        changed(BubblewrapPlace(tmp_path), directory=tmp_path / "file" / "below").preflight()


@pytest.mark.docker
def test_a_missing_image_names_the_next_step(tmp_path: Path, run_id: str) -> None:
    with closing(DockerPlace(tmp_path)) as place:
        backend = changed(place, image="entropy-no-such-image:local")
    with pytest.raises(ConfigurationError, match="ops/images/build"):
        backend.preflight()
    with pytest.raises(ConfigurationError, match="ops/images/build"), backend.open(run_id):
        pass


@pytest.mark.docker
def test_a_missing_daemon_is_unavailable(tmp_path: Path) -> None:
    backend = make_backend(SandboxSettings(backend="docker", docker_host=f"unix://{tmp_path}/none.sock"))
    with pytest.raises(SandboxUnavailable, match="No Docker daemon listens"):
        backend.preflight()


@pytest.mark.docker
def test_two_installations_share_a_daemon(tmp_path: Path, run_id: str) -> None:
    with closing(DockerPlace(tmp_path)) as place, make_backend(place.settings).open(run_id) as sandbox:
        assert changed(place, owner=f"{place.settings.owner}-other").reap(set()) == []
        assert sandbox.exec(["true"]).exit_status == 0
