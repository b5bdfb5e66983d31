"""The demo as a person starts it: it ends with everything merged, or says why not, and in any case leaves nothing."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.services import require

TOOLS = Path(__file__).parents[2] / ".tools" / "sandbox"

pytestmark = [pytest.mark.bubblewrap, pytest.mark.redis]


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    require(TOOLS.is_dir(), "the sandbox's environment is not made; run ops/tools sandbox")
    argv = [sys.executable, "-m", "celery", "-A", "entropy", "demo", "--sandbox", "bubblewrap", "--tools", str(TOOLS)]
    with subprocess.Popen(
        [*argv, "--directory", str(folder), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder.parent,
        env={name: value for name, value in os.environ.items() if not name.startswith("ENTROPY_")},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What the demo says up to the line with these words; pytest's time limit is the deadline."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    pytest.fail(f"the demo ended without saying {words!r}:\n{said}")


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, _ = process.communicate()
    return process.returncode, said


def left_behind(folder: Path) -> list[str]:
    """The folder, mounts below it, and processes that work in it or were told of it."""
    left = [str(folder)] if folder.exists() else []
    left += [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(folder) in line]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            works = (process / "cwd").readlink()
        except OSError:
            continue
        if int(process.name) != os.getpid() and (str(folder).encode() in told or works.is_relative_to(folder)):
            left.append(told.replace(b"\0", b" ").decode(errors="replace"))
    return left


def test_every_issue_is_merged_and_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo(folder) as process:
        status, said = end(process)
    assert status == 0, said
    assert "✓ acme/widgets#2  reviewer  execute  changes_requested" in said
    assert "reviewed      changes requested by entropy-reviewer, with 1 inline" in said
    assert said.count("reviewed      approved by entropy-reviewer") == 2
    assert said.count("by entropy-merger") == 2
    assert "+        return (self.subtotal() * self.discount_percent + 50) // 100" in said
    assert left_behind(folder) == []


@pytest.mark.parametrize(
    ("words", "number"),
    [("everything is kept", signal.SIGINT), ("sandbox:", signal.SIGHUP), ("coder  claim", signal.SIGTERM)],
)
def test_a_signal_at_any_time_leaves_nothing(tmp_path: Path, words: str, number: signal.Signals) -> None:
    folder = tmp_path / "demo"
    with demo(folder) as process:
        read_until(process, words)
        process.send_signal(number)
        status, said = end(process)
    assert (status, "Traceback" in said) == (128 + number, False), said
    assert left_behind(folder) == []


def test_being_late_is_a_failure_that_says_what_is_stuck(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with demo(folder, "--deadline", "1") as process:
        status, said = end(process)
    assert status == 1
    assert "Error: Not merged: " in said
    assert "acme/widgets#1 (no pull request, labels bug, entropy:code)" in said
    assert "--- forge" in said
    assert left_behind(folder) == []


def test_a_folder_that_exists_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        status, said = end(process)
    assert status == 1
    assert said.splitlines()[-1].startswith(f"Error: {tmp_path} cannot be made (File exists)")
    assert tmp_path.is_dir()
