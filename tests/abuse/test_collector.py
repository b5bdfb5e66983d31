"""Attacks on the collecting itself: work that goes on, files that are no files, trees without an end."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from entropy.errors import PolicyViolation
from entropy.sandbox.interface import Sandbox
from tests.abuse.attack import WON, Attack, Verdict
from tests.abuse.conftest import Note
from tests.integration.sandbox.places import processes
from tests.integration.sandbox.trees import patched, tar

BASE = {"a.txt": b"one\n", "b.txt": b"two\n"}
HONEST = "echo three >> a.txt\n"

RACE = Attack(
    "collector: work that goes on",
    "another patch than the one that is looked at",
    "i=0; while :; do i=$((i + 1)); echo $i > racing; sleep 0.0$0; done",
)
PIPE = Attack("collector: a pipe in place of a file", "a collector that waits forever", "rm b.txt; mkfifo b.txt")
LOOP = Attack("collector: a link to itself", "a collector that walks forever", "ln -s . loop; ln -s loop/loop pool")
CLOSED = Attack(
    "collector: a folder that is closed",
    "a patch that leaves out what people should see",
    "mkdir closed; echo evil > closed/x; chmod 000 closed",
)
DEEP = Attack(
    "collector: two hundred folders deep",
    "a collector that breaks off in the middle",
    "python3 -c \"import os\nfor i in range(200): os.mkdir('d' * 100); os.chdir('d' * 100)\nopen('x', 'w').close()\"",
)
LAST = Attack(
    "collector: a file that changes and keeps its times",
    "a change that git does not see",
    "cp -p b.txt old; echo TWO > b.txt; touch -r old b.txt; rm old",
)


def start(sandbox: Sandbox, attack: Attack) -> None:
    sandbox.put(tar(BASE))
    result = sandbox.exec(["sh", "-c", f"set -e\n{HONEST}{attack.body}\necho planted"])
    assert result.stdout.endswith("planted\n"), result


def naive(folder: Path, script: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, check=False, timeout=60)


def test_race(own: Sandbox, note: Note, tmp_path: Path) -> None:
    mark = f"6{time.monotonic_ns()}"
    with subprocess.Popen(["sh", "-c", RACE.body, mark], cwd=tmp_path) as free:
        looks = {naive(tmp_path, "sleep 0.2; cat racing").stdout for _ in range(4)}
        free.kill()
    assert len(looks) > 1, "the control shows nothing"
    own.put(tar(BASE))
    begin = (
        f"{HONEST}(setsid sh -c '{RACE.body}' {mark} > /dev/null 2>&1 &); while ! [ -s racing ]; do sleep 0.01; done"
    )
    assert own.exec(["sh", "-c", begin], timeout=20).exit_status == 0
    first = own.collect()
    left = processes(mark)
    note(RACE, Verdict(WON, "it went on") if left or own.collect() != first else Verdict("ended before", ""))
    assert first.count(b"diff --git") == 2


def test_pipe(own: Sandbox, note: Note, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "b.txt")
    assert naive(tmp_path, "timeout 0.5 cat b.txt").returncode == 124, "the control shows nothing"
    start(own, PIPE)
    try:
        patch = own.collect()
    except PolicyViolation:
        note(PIPE, Verdict("refused", ""))
    else:
        note(PIPE, Verdict(WON, "a patch without it") if b"b.txt" not in patch else Verdict("in the patch", ""))


def test_loop(own: Sandbox, note: Note, tmp_path: Path) -> None:
    naive(tmp_path, LOOP.body)
    assert naive(tmp_path, "find -L . 2>&1").stdout.count(b"loop") > 1, "the control shows nothing"
    start(own, LOOP)
    (tmp_path / "patched").mkdir()
    found = patched(tmp_path / "patched", BASE, own.collect())
    got = Verdict("links, as they are", "") if found.get("loop@") == b"." else Verdict(WON, str(found)[:100])
    note(LOOP, got)


def test_closed(own: Sandbox, note: Note, tmp_path: Path) -> None:
    naive(tmp_path, f"chmod 777 .; {CLOSED.body}; chown -R 54321 closed")
    said = naive(tmp_path, "setpriv --reuid=54321 --clear-groups find closed")
    assert b"x" not in said.stdout.split(b"/")[-1:], "the control shows nothing"
    start(own, CLOSED)
    try:
        patch = own.collect()
    except PolicyViolation:
        note(CLOSED, Verdict("refused", ""))
    else:
        note(CLOSED, Verdict(WON, "left out") if b"evil" not in patch else Verdict("in the patch", ""))


def test_deep(own: Sandbox, note: Note, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    naive(tmp_path / "deep", DEEP.body)
    with pytest.raises((OSError, RecursionError)):
        shutil.copytree(tmp_path / "deep", tmp_path / "copy")
    naive(tmp_path, "rm -rf deep copy")
    start(own, DEEP)
    try:
        own.collect()
    except PolicyViolation:
        note(DEEP, Verdict("refused", ""))
    else:
        note(DEEP, Verdict(WON, "a patch without it"))


def test_times(own: Sandbox, note: Note, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("two\n")
    script = f"git init -q .; touch -d '2 days ago' b.txt; git add -A; {LAST.body}; git -c core.trustctime=false diff"
    assert naive(tmp_path, script).stdout == b"", "the control shows nothing"
    start(own, LAST)
    patch = own.collect()
    note(LAST, Verdict(WON, "not in the patch") if b"+TWO" not in patch else Verdict("in the patch", ""))
