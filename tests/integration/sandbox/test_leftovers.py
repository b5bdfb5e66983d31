"""Nothing of a sandbox outlives it, however its worker ended."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from entropy.errors import EntropyError
from entropy.sandbox.backends.proving import proving
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend
from tests.integration.sandbox.places import BubblewrapPlace, Place, processes, until
from tests.integration.sandbox.trees import tar

WORKER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from entropy.sandbox.factory import make_backend
from entropy.settings import SandboxSettings
settings = SandboxSettings.model_validate_json(sys.argv[1])
with make_backend(settings).open(sys.argv[2]) as sandbox:
    sandbox.exec(["sh", "-c", "mkdir closed; echo x > closed/x; chmod 000 closed"])
    print("ready", flush=True)
    sandbox.exec(["sh", "-c", f"setsid sleep {sys.argv[3]} & echo > started; sleep {sys.argv[3]}"])
"""
OPENER = """
import sys
from entropy.sandbox.factory import make_backend
from entropy.settings import SandboxSettings
with make_backend(SandboxSettings.model_validate_json(sys.argv[1])).open(sys.argv[2]):
    pass
"""

PROVER = """
import sys
from entropy.sandbox.factory import make_backend
from entropy.settings import SandboxSettings
make_backend(SandboxSettings.model_validate_json(sys.argv[1])).preflight()
"""


def test_closing_leaves_nothing(place: Place, backend: Backend, run_id: str) -> None:
    with backend.open(run_id) as sandbox:
        sandbox.put(tar({"a": b"1\n"}))
        sandbox.exec(["sh", "-c", "mkdir closed; echo x > closed/x; chmod 000 closed; setsid sleep 60 &"])
        assert place.remains()
    assert place.remains() == []


def test_an_error_in_the_stage_leaves_nothing(place: Place, backend: Backend, run_id: str) -> None:
    with pytest.raises(ZeroDivisionError), backend.open(run_id):
        raise ZeroDivisionError
    assert place.remains() == []


def test_who_goes_on_after_the_reaper_leaves_nothing(place: Place, backend: Backend, run_id: str) -> None:
    """As a worker does that was frozen until its run was somebody else's."""
    with backend.open(run_id) as sandbox:
        sandbox.put(tar({"a": b"1\n"}))
        assert backend.reap(frozenset())
        with pytest.raises(EntropyError):
            sandbox.collect()
    assert place.remains() == []


def test_a_killed_worker_leaves_no_processes_and_the_reaper_the_rest(
    place: Place, backend: Backend, run_id: str
) -> None:
    mark = f"5{int(run_id[-6:], 16)}"
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, place.settings.model_dump_json(), run_id, mark],
        stdout=subprocess.PIPE,
        env=dict(os.environ),
    )
    with worker:
        assert worker.stdout
        assert worker.stdout.readline() == b"ready\n"
        until(lambda: processes(f"sleep {mark}"))
        worker.send_signal(signal.SIGKILL)
    assert place.remains()
    assert backend.reap({run_id, "another"}) == []
    assert place.remains()
    with ThreadPoolExecutor(8) as reapers:
        removed = list(reapers.map(backend.reap, [{"another"}] * 8))
    assert any(run_id in name for names in removed for name in names)
    assert place.remains() == []
    until(lambda: not processes(f"sleep {mark}"))
    assert backend.reap(set()) == []


def test_the_reaper_does_not_disturb_the_preflight_of_a_live_run(place: Place, backend: Backend, run_id: str) -> None:
    """In a process of its own, which has proven nothing yet."""
    argv = [sys.executable, "-c", OPENER, place.settings.model_dump_json(), run_id]
    removed = []
    with subprocess.Popen(argv, env=dict(os.environ)) as worker:
        while worker.poll() is None:
            removed += backend.reap({run_id})
    assert (removed, worker.returncode) == ([], 0)
    assert place.remains() == []


def test_the_reaper_does_not_disturb_a_preflight(place: Place, backend: Backend) -> None:
    """In a process of its own, which has proven nothing yet."""
    argv = [sys.executable, "-c", PROVER, place.settings.model_dump_json()]
    removed = []
    with subprocess.Popen(argv, env=dict(os.environ)) as worker:
        while worker.poll() is None:
            removed += backend.reap(set())
    assert (removed, worker.returncode) == ([], 0)
    assert place.remains() == []


def test_what_a_killed_preflight_left_is_cleared(place: Place, backend: Backend) -> None:
    argv = [sys.executable, "-c", PROVER, place.settings.model_dump_json()]
    with subprocess.Popen(argv, env=dict(os.environ)) as worker:
        until(place.remains)
        worker.kill()
    assert place.remains()
    backend.clear()
    assert place.remains() == []


@pytest.mark.bubblewrap
def test_what_a_killed_preflight_left_goes_when_nobody_proves_anything(tmp_path: Path) -> None:
    place = BubblewrapPlace(tmp_path)
    left = place.settings.directory / "preflight-0.00000000"
    left.mkdir(parents=True)
    with proving(place.settings.directory):
        assert make_backend(place.settings).reap(set()) == []
    assert make_backend(place.settings).reap(set()) == [left.name]
    assert place.remains() == []


def test_a_run_that_is_opened_again_replaces_what_was_left(place: Place, backend: Backend, run_id: str) -> None:
    with backend.open(run_id) as lost:
        lost.exec(["sh", "-c", "echo x > x"])
        with backend.open(run_id) as sandbox:
            assert sandbox.exec(["ls"]).stdout == ""
    assert place.remains() == []


def test_a_sandbox_that_is_kept_stays_until_its_run_is_over(place: Place, backend: Backend, run_id: str) -> None:
    with backend.open(run_id) as sandbox:
        sandbox.put(tar({"a": b"1\n"}))
        sandbox.exec(["sh", "-c", "echo 2 > a"])
        sandbox.collect()
        sandbox.keep()
    assert place.remains()
    assert backend.reap({run_id}) == []
    assert place.remains()
    assert any(run_id in name for name in backend.reap(set()))
    assert place.remains() == []
