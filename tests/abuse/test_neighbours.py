"""Two sandboxes at once know nothing of each other, while commands run and while one of them is collected."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.sandbox.interface import Backend, Sandbox
from tests.abuse import neighbours
from tests.abuse.attack import APART, Attack, Verdict, inside, outside
from tests.abuse.conftest import Note, new_run
from tests.integration.sandbox.places import processes, until

ALONE = (
    *APART[:-1],
    "--net",
    "--",
    "sh",
    "-c",
    'ip link set lo up; mount -t tmpfs none /tmp; mkdir /tmp/work; cd /tmp/work; "$@"; exit $?',
    "sh",
)
"""A network of its own too: the control listens at the same addresses each time."""


def _seconds() -> str:
    """Of sleep, and a mark by which the process is found."""
    return f"600.{time.monotonic_ns()}"


@contextlib.contextmanager
def busy(backend: Backend, program: str) -> Iterator[str]:
    """A sandbox in which `program` has done what it does and now sleeps; yields for how many seconds."""
    seconds = _seconds()
    with backend.open(new_run()) as sandbox:
        command = ["python3", "-c", program, seconds]
        thread = threading.Thread(target=sandbox.exec, args=(command,), kwargs={"timeout": 50})
        thread.start()
        until(lambda: any(line.startswith(f"sleep {seconds}") for line in processes(seconds)))
        try:
            yield seconds
        finally:
            sandbox.collect()
            thread.join()


@pytest.fixture(scope="module")
def neighbour(backend: Backend) -> Iterator[str]:
    with busy(backend, neighbours.PRESENT) as seconds:
        yield seconds


@pytest.mark.parametrize("attack", neighbours.TABLE, ids=lambda attack: attack.name)
def test_display(shared: Sandbox, neighbour: str, attack: Attack, note: Note, tmp_path: Path) -> None:
    control = outside(attack, tmp_path, _seconds(), neighbours.PRESENT, apart=ALONE)
    assert control.won, f"the control shows nothing: {control}"
    note(attack, inside(shared, attack, neighbour))


@pytest.mark.parametrize("starvation", neighbours.STARVATION, ids=lambda pair: pair[0].name)
def test_starvation(
    backend: Backend, shared: Sandbox, starvation: tuple[Attack, str], note: Note, tmp_path: Path
) -> None:
    attack, take = starvation
    control = outside(attack, tmp_path, _seconds(), take, apart=ALONE)
    assert control.won, f"the control shows nothing: {control}"
    with busy(backend, take) as seconds:
        note(attack, inside(shared, attack, seconds))


WATCH = Attack(
    "the collector of the neighbour",
    "what another run has done, or a hand in it",
    """
    import glob
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                words = open(path, "rb").read()
            except OSError:
                continue
            if words.startswith(b"git\\0") and (b"--cached" in words or b"--all" in words):
                return words.replace(b"\\0", b" ").decode(errors="replace")
        for place in ("/tmp", "/dev/shm", "/workspace"):
            for name in os.listdir(place) if os.path.isdir(place) else ():
                if name == "of-the-collected":
                    return place
    """,
)


def test_collecting(backend: Backend, shared: Sandbox, note: Note, tmp_path: Path) -> None:
    got: dict[str, Verdict] = {}
    with backend.open(new_run()) as collected:
        assert collected.exec(["sh", "-c", "seq 100000 > of-the-collected"]).exit_status == 0
        watchers = [
            threading.Thread(target=lambda: got.update(inside=inside(shared, WATCH, 1.5))),
            threading.Thread(target=lambda: got.update(outside=outside(WATCH, tmp_path, 20, apart=()))),
        ]
        for watcher in watchers:
            watcher.start()
        while watchers[0].is_alive() or watchers[1].is_alive():
            with backend.open(new_run()) as another:
                another.exec(["sh", "-c", "seq 100000 > of-the-collected"])
                assert another.collect()
        for watcher in watchers:
            watcher.join()
        assert collected.collect()
    assert got["outside"].won, f"the control shows nothing: {got['outside']}"
    note(WATCH, got["inside"])
