"""Processes of the demo: they start, they are watched, and nothing of them outlives the ``with``."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from entropy.cli.demo.failure import DemoFailed
from entropy.cli.demo.processes import Children
from entropy.cli.demo.signals import Interruption
from entropy.settings import inherited

PATH = inherited("PATH")

# Leaves its process group, ignores the polite signal and says its number: what only a subreaper can catch.
ESCAPING = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(os.getpid(), flush=True)
time.sleep(60)
"""

PARENT = """
import os, sys, time
from pathlib import Path
from entropy.cli.demo.processes import Children
from entropy.cli.demo.signals import Interruption
with Children(Path(sys.argv[1]), Interruption()) as children:
    print(children.start("sleeper", ["sleep", "60"], environment={"PATH": os.defpath}).popen.pid, flush=True)
    time.sleep(60)
"""


def eventually(condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_process_runs_in_the_folder_and_logs_to_a_file(tmp_path: Path) -> None:
    with Children(tmp_path, Interruption()) as children:
        child = children.start("where", ["pwd"], environment=PATH)
        child.popen.wait(10)
    assert child.tail() == str(tmp_path)


def test_a_process_that_dies_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    with Children(tmp_path, Interruption()) as children:
        children.start("oven", ["sh", "-c", "echo too hot; exit 3"], environment=PATH)
        with pytest.raises(DemoFailed, match=r"oven has stopped \(exit 3\)(.|\n)*too hot"):
            children.wait_until(lambda: False, what="The oven")


def test_waiting_ends_at_its_deadline(tmp_path: Path) -> None:
    with Children(tmp_path, Interruption()) as children:
        children.start("oven", ["sleep", "60"], environment=PATH)
        with pytest.raises(DemoFailed, match="The oven was not ready within 0 seconds"):
            children.wait_until(lambda: False, what="The oven", seconds=0.1)


def test_a_process_that_ignores_the_polite_signal_is_ended(tmp_path: Path) -> None:
    with Children(tmp_path, Interruption(), patience=0.2) as children:
        child = children.start("deaf", ["sh", "-c", "trap '' TERM; echo deaf; sleep 60"], environment=PATH)
        assert eventually(child.tail)
    assert child.popen.returncode == -signal.SIGKILL


def test_what_escapes_its_group_is_ended_as_well(tmp_path: Path) -> None:
    with Children(tmp_path, Interruption(), patience=0.2) as children:
        child = children.start("fork", [sys.executable, "-c", ESCAPING], environment=PATH)
        assert eventually(child.tail)
    assert not alive(int(child.tail()))


def test_processes_that_were_there_before_are_spared(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        with Children(tmp_path, Interruption()):
            pass
        assert other.poll() is None
        other.kill()


def test_the_death_of_the_demo_takes_its_processes_along(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert alive(pid)
        os.kill(parent.pid, signal.SIGKILL)
    assert eventually(lambda: not alive(pid))
