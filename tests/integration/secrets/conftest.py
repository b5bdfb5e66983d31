"""A real OpenBao in memory, set up by ops/vault/bootstrap as an administrator would."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import hvac
import pytest
import requests

from entropy.settings import VaultSettings
from tests.services import require

ROOT = Path(__file__).resolve().parents[3]
BAO = ROOT / ".tools/vault/bin/bao"
ROLES = ("coder", "merger", "reviewer", "scheduler")
ROOT_TOKEN = "root-token-of-a-test"


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


class OpenBao:
    """A server in memory, and its administrator."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"http://127.0.0.1:{free_port()}"
        self.approles = folder / "approles"
        self.root = hvac.Client(url=self.address, token=ROOT_TOKEN)
        self.log = folder / "log"

    @property
    def settings(self) -> VaultSettings:
        return VaultSettings(address=self.address, approle_directory=self.approles)

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if requests.get(f"{self.address}/v1/sys/health", timeout=1).status_code == 200:
                    return
            except requests.ConnectionError:
                time.sleep(0.02)
        pytest.fail(f"OpenBao did not start: {self.log.read_text()[-500:]}")

    def bootstrap(self, *arguments: str, token: str = ROOT_TOKEN) -> subprocess.CompletedProcess[str]:
        given = ("--address", self.address, "--token-file", "-", "--approle-directory", str(self.approles))
        argv = [sys.executable, str(ROOT / "ops/vault/bootstrap"), *given, *arguments]
        return subprocess.run(argv, input=token, text=True, capture_output=True, timeout=60, check=False)

    def put(self, role: str, name: str, value: str) -> None:
        self.root.secrets.kv.v2.create_or_update_secret(f"entropy/{role}/{name}", {"value": value})

    def unseal(self) -> None:
        found = re.search(r"Unseal Key: (\S+)", self.log.read_text())
        assert found
        self.root.sys.submit_unseal_key(found[1])


@contextmanager
def running(folder: Path) -> Iterator[OpenBao]:
    bao = OpenBao(folder)
    port = bao.address.rpartition(":")[2]
    argv = [
        program(), "server", "-dev", "-dev-no-store-token",
        f"-dev-root-token-id={ROOT_TOKEN}", f"-dev-listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with bao.log.open("wb") as log, subprocess.Popen(argv, env=surroundings, stdout=log, stderr=log) as process:
        try:
            bao.wait(process)
            yield bao
        finally:
            bao.root.adapter.close()
            process.kill()


def program() -> str:
    found = str(BAO) if BAO.exists() else shutil.which("bao")
    require(found, "no OpenBao; run: ops/tools vault")
    return str(found)


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """Shared: tests write their own secrets, and leave policies, roles and the seal alone."""
    with running(tmp_path_factory.mktemp("bao")) as server:
        done = server.bootstrap()
        assert done.returncode == 0, done.stderr
        yield server


@pytest.fixture
def own_bao(tmp_path: Path) -> Iterator[OpenBao]:
    with running(tmp_path) as server:
        yield server
