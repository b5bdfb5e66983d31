"""A real sandbox for agents: bubblewrap, with this Python and its packages shown inside."""

import contextlib
import io
import itertools
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Sandbox
from entropy.settings import SandboxSettings
from tests.services import require

OpenSandbox = Callable[[Mapping[str, str | bytes]], Sandbox]


@pytest.fixture
def settings(tmp_path: Path) -> SandboxSettings:
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    return SandboxSettings(
        backend="bubblewrap",
        directory=tmp_path / "sandboxes",
        binds=(Path(sys.prefix), Path(sys.base_prefix)),
        path=f"{sys.prefix}/bin:/usr/bin:/bin",
        command_timeout=60,
    )


@pytest.fixture
def open_sandbox(settings: SandboxSettings) -> Iterator[OpenSandbox]:
    """Opens a sandbox that holds the given files; each lives as long as the test."""
    backend, numbers = make_backend(settings), itertools.count(1)
    with contextlib.ExitStack() as stack:

        def opened(files: Mapping[str, str | bytes]) -> Sandbox:
            sandbox = stack.enter_context(backend.open(f"r{next(numbers)}"))
            sandbox.put(packed(files))
            return sandbox

        yield opened


def packed(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
