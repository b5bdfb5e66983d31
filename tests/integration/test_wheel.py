"""An installed wheel: complete, and the same commands work from it as from a clone."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.integration.lifecycle.shell import celery, environment, python

ROOT = Path(__file__).parents[2]
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
SHIPPED = ("*.py", "*.lua", "*.sql", "*.html", "*.css", "*.toml", "*.gz", "py.typed")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what an installer unpacks, and nothing of the clone."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "clone")], check=True, timeout=60)
    argv = [sys.executable, "-W", "ignore", "-c", BUILD, str(folder)]
    subprocess.run(argv, cwd=folder / "clone", check=True, timeout=120, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_holds_all_that_the_clone_does(installed: Path) -> None:
    source = installed.parent / "clone"
    wanted = {path.relative_to(source) for kind in SHIPPED for path in (source / "entropy").rglob(kind)}
    missing = [str(path) for path in sorted(wanted) if not (installed / path).exists()]
    assert missing == []
    assert (installed / "celeryconfig.py").exists()


def test_the_commands_work_from_the_wheel(installed: Path, redis_url: str, tmp_path: Path) -> None:
    env = environment(PYTHONPATH=str(installed), ENTROPY_REDIS__URL=redis_url)
    where = python(
        "import celeryconfig, entropy.celery; print(celeryconfig.__file__, entropy.celery.__file__)",
        env=env,
        cwd=tmp_path,
    )
    assert where.stdout.split() == [str(installed / "celeryconfig.py"), str(installed / "entropy" / "celery.py")]
    started = celery("start", "acme/widgets#1", "--role", "coder", env=env, cwd=tmp_path)
    assert started.returncode == 0, started.stderr
    listed = celery("runs", "list", env=env, cwd=tmp_path).stdout
    assert listed.split()[0] == started.stdout.strip()
    for command in ("forge", "demo", "worker", "beat", "flower"):
        assert celery(command, "--help", env=env, cwd=tmp_path).returncode == 0
