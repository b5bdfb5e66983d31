"""A server of moto's, which speaks like AWS, and credentials that it takes."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from entropy.cli.demo.redis_server import free_port
from tests.services import require

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "any",
    "AWS_SECRET_ACCESS_KEY": "words",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def running_moto() -> Iterator[str]:
    """Its address; as long as it runs, this process has credentials for it."""
    program = Path(sys.executable).with_name("moto_server")
    require(program.exists(), "moto_server is not installed")
    address = f"http://127.0.0.1:{(port := free_port())}"
    with (
        pytest.MonkeyPatch.context() as patch,
        subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL) as server,
    ):
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        try:
            _wait(address)
            yield address
        finally:
            server.terminate()


def _wait(address: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{address}/moto-api/"):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
