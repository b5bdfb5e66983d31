"""Processes of stories, forked from one that has imported libraries and nothing of ours: that saves most of a start.

What they are told, and what they import of Entropy, they learn as they would from a shell. Only ``/proc/PID/environ``
and what the dynamic linker reads are the ancestor's, so stories about those start theirs in the ordinary way.
"""

import atexit
import ctypes
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path
from typing import BinaryIO

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        *("billiard.pool", "celery.app.amqp", "celery.app.control", "celery.app.events", "celery.app.log"),
        *("celery.app.task", "celery.apps.beat", "celery.apps.worker", "celery.backends.redis", "celery.bin.base"),
        *("celery.bin.beat", "celery.bin.worker", "celery.concurrency.prefork", "celery.events.state"),
        *("celery.fixups.django", "celery.loaders.app", "celery.worker.components", "celery.worker.consumer"),
        *("click_didyoumean", "click_plugins", "click_repl", "cryptography.hazmat.primitives.serialization", "docker"),
        *("flower.command", "github", "github.Requester", "hvac", "jwt", "kombu.transport.redis", "prompt_toolkit"),
        *("pydantic", "pydantic.networks", "pydantic_settings", "pytest", "pythonjsonlogger.json", "redis", "uvicorn"),
    ]
)
PR_SET_PDEATHSIG = 1


class Forked:
    """The part of `subprocess.Popen` that those who watch a process use."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        assert process.pid is not None
        self.pid = process.pid
        self._process = process

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0)
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()


def prepare() -> None:
    """Start the ancestor, which outlives the story."""
    forkserver.ensure_running()


def forked(argv: Sequence[str], environment: Mapping[str, str], folder: Path, output: BinaryIO) -> Forked:
    """A ``python -m celery …`` of its own session, in `folder`."""
    assert list(argv[:3]) == [sys.executable, "-m", "celery"], argv
    told = (list(argv[3:]), dict(environment), str(folder), output.name)
    process = CONTEXT.Process(target=_become, args=told)
    process.start()
    return Forked(process)


def _become(arguments: list[str], environment: dict[str, str], folder: str, output: str) -> None:
    assert "entropy" not in sys.modules, "the ancestor knows something of ours, so processes would share it"
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.chdir(folder)
    log = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0:0] = [folder]
    sys.argv = ["celery", *arguments]
    try:
        runpy.run_module("celery", run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()
