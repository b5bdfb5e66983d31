"""``celery forge``: as a process, the way people start it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from github import Auth, Github

from entropy.settings import inherited
from tests.forge_server import running_forge
from tests.integration.forge.conftest import NAME

CELERY = Path(sys.executable).with_name("celery")
DEADLINE = 30


def _forge(*arguments: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(CELERY), "forge", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=inherited("PATH"), timeout=60, check=False
    )


@contextmanager
def _serving(data: Path, *more: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The address of a forge that was started and answers, and its process."""
    file = data.with_name("url")
    command = [str(CELERY), "forge", "serve", "--data", str(data), "--url-file", str(file), *more]
    server = subprocess.Popen(command, cwd=data.parent, env=inherited("PATH"), stdout=subprocess.PIPE, text=True)
    try:
        limit = time.monotonic() + DEADLINE
        while not file.exists():
            assert server.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.02)
        yield file.read_text().strip(), server
    finally:
        server.kill()
        server.communicate()


def test_the_whole_walk(tmp_path: Path, source: Path) -> None:
    """Serve first, import and enrol while it runs, ask it, end it."""
    data = tmp_path / "data"
    with _serving(data) as (url, server):
        assert _forge("import", source, NAME, "--data", data, cwd=tmp_path).returncode == 0
        told = _forge("user", "ada", "--data", data, "--repository", NAME, "--permission", "write", cwd=tmp_path)
        token = told.stdout.strip()
        answer = requests.get(
            f"{url}/api/v3/repos/{NAME}", headers={"Authorization": f"Bearer {token}"}, timeout=DEADLINE
        )
        assert answer.json()["permissions"]["push"] is True
        assert answer.json()["clone_url"] == f"{url}/{NAME}.git"
        server.send_signal(signal.SIGTERM)
        output, _ = server.communicate(timeout=DEADLINE)
        assert server.returncode == 0
        assert url in output


def test_an_app_is_added_and_limits_are_enforced_where_asked_for(tmp_path: Path, source: Path) -> None:
    data, key = tmp_path / "data", tmp_path / "key.pem"
    assert _forge("import", source, NAME, "--data", data, "--private", cwd=tmp_path).returncode == 0
    told = ("app", "Coder", "--owner", "acme", "--permission", "issues=write", "--key-file", key, "--data", data)
    added = _forge(*told, cwd=tmp_path)
    app, installation = map(int, added.stdout.split())
    assert key.stat().st_mode & 0o777 == 0o600
    assert "File exists" in _forge(*told, cwd=tmp_path).stderr, "no key is ever written over"
    with _serving(data, "--limits") as (url, _):
        auth = Auth.AppAuth(app, key.read_text()).get_installation_auth(installation)
        with Github(base_url=f"{url}/api/v3", auth=auth, retry=None, seconds_between_requests=0) as client:
            assert client.get_repo(NAME).private
        answers = {requests.get(f"{url}/api/v3/meta", timeout=DEADLINE).status_code for _ in range(61)}
        assert answers == {200, 403}, "60 requests an hour for who does not say who it is"
        assert requests.get(f"{url}/_usage", timeout=DEADLINE).json()["enforced"] is True


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("import", "nowhere", NAME, "--data", "data"), "does not exist"),
        (("import", "source", "rocket", "--data", "data"), "owner/name"),
        (("user", "a b", "--data", "data"), "not a login"),
        (("app", "!", "--owner", "acme", "--key-file", "key", "--data", "data"), "not a name for an app"),
        (("app", "A", "--owner", "acme", "--permission", "x", "--key-file", "key", "--data", "data"), "x cannot be"),
        (("user", "ada", "--data", "data", "--repository", NAME), "import it first"),
        (("user", "ada", "--data", "data", "--permission", "root"), "root"),
        (("serve", "--data", "source/README.md"), "is a file"),
        (("serve", "--data", "data", "--port", "70000"), "70000"),
        (("serve", "--data", "data", "--url-file", "no/such/folder/url"), "no/such/folder does not exist"),
        (("user", "ada", "--name", "<>", "--data", "data"), "not a name"),
    ],
)
def test_wrong_input_is_one_clear_sentence(tmp_path: Path, source: Path, arguments: tuple[str, ...], told: str) -> None:
    done = _forge(*arguments, cwd=source.parent)
    assert done.returncode != 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with running_forge(tmp_path) as server:
        port = server.url.rpartition(":")[2]
        done = _forge("serve", "--data", tmp_path / "other", "--port", port, cwd=tmp_path)
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
