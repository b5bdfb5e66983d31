"""Whatever a command does, the worker gets an answer, a true one and of bounded size, and nothing is left behind."""

import logging
import os
import struct
import subprocess
import sys
import time

import pytest

from entropy.agents.evidence import observe
from entropy.logging.structured import RedactingJsonFormatter, RedactingTextFormatter
from entropy.sandbox.interface import Backend, ExecResult, Sandbox
from tests.abuse import conduct
from tests.abuse.attack import REACHED, WON, Attack, Verdict
from tests.abuse.conftest import Note, new_run
from tests.abuse.test_resources import is_alive
from tests.integration.sandbox.places import Place, processes, until

HEADER = struct.Struct(">BxxxL")


def done(sandbox: Sandbox, attack: Attack, *arguments: str, timeout: float = 30) -> ExecResult:
    result = sandbox.exec(["python3", "-c", attack.program, *arguments], timeout=timeout)
    assert f"{REACHED}\n" in result.stdout, f"the attack was not attempted: {result}"
    return result


def control(attack: Attack, *arguments: str, timeout: float = 30) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-c", attack.program, *arguments]
    return subprocess.run(words, capture_output=True, timeout=timeout, check=False)


def judged(won: object, got: str) -> Verdict:
    return Verdict(WON, got) if won else Verdict(got, "")


def seconds() -> str:
    return f"700.{time.monotonic_ns()}"


def test_flood(place: Place, shared: Sandbox, note: Note) -> None:
    free = control(conduct.FLOOD)
    assert len(free.stdout) > 5_000_000
    result = done(shared, conduct.FLOOD)
    assert result.stderr == "all of it\n", "the flood was not read to its end"
    kept = len(result.stdout)
    note(conduct.FLOOD, judged(kept > 2 * place.settings.output_kib * 1024, f"{kept} bytes kept"))
    assert result.truncated


def test_endless_output(place: Place, greedy: Sandbox, note: Note) -> None:
    result = done(greedy, conduct.ENDLESS, timeout=1)
    kept = len(result.stdout)
    assert result.truncated
    note(conduct.ENDLESS, judged(kept > 2 * place.settings.output_kib * 1024, f"killed, {kept} bytes kept"))
    assert result.timed_out
    assert is_alive(greedy)


def test_binary_output(shared: Sandbox, note: Note) -> None:
    expected = control(conduct.BINARY)
    result = done(shared, conduct.BINARY)
    whole = result.stdout == expected.stdout.decode(errors="replace")
    assert result.stderr == expected.stderr.decode(errors="replace")
    note(conduct.BINARY, judged(not whole or not is_alive(shared), "text with marks for what is none"))


def test_forged_frames(shared: Sandbox, note: Note) -> None:
    printed = control(conduct.FRAMES).stdout.removeprefix(f"{REACHED}\n".encode())
    assert HEADER.unpack_from(printed) == (2, 6), "the control is no frame of the other stream"
    result = done(shared, conduct.FRAMES)
    note(conduct.FRAMES, judged("forged" in result.stderr, "kept as output of its own stream"))
    assert "forged" in result.stdout


def test_forged_words(shared: Sandbox, note: Note) -> None:
    result = done(shared, conduct.START)
    assert "bytes dropped" in result.stdout
    note(conduct.START, judged(result.truncated or result.stdout.count("\0") != 3, "kept as output, not as a gap"))


def test_forged_status(shared: Sandbox, note: Note) -> None:
    reader, writer = os.pipe()
    # Outside it is to write to its own files only: its parent is this process.
    with subprocess.Popen([sys.executable, "-c", conduct.STATUS.program, "self"], pass_fds=(writer,)) as naive:
        os.close(writer)
        assert b"exit-code" in os.read(reader, 1000), "the control shows nothing"
    os.close(reader)
    assert naive.returncode == 7
    result = done(shared, conduct.STATUS)
    note(conduct.STATUS, judged(result.exit_status != 7, f"status {result.exit_status} as it was"))


def test_zombies(greedy: Sandbox, note: Note) -> None:
    result = done(greedy, conduct.ZOMBIES)
    assert "zombies 40" in result.stdout, result
    count = "cat /proc/[0-9]*/stat | grep -c ') Z '"
    until(lambda: greedy.exec(["sh", "-c", count]).stdout.strip().isdigit())
    left = int(greedy.exec(["sh", "-c", count]).stdout)
    note(conduct.ZOMBIES, judged(left > 2, "reaped"))


def test_daemon(backend: Backend, note: Note) -> None:
    mark = seconds()
    with backend.open(new_run()) as sandbox:
        done(sandbox, conduct.DAEMON, mark)
        lived = bool(processes(f"sleep {mark}")) or backend.name == "bubblewrap"  # there it ends with its command
        assert lived, "the daemon did not start"
        sandbox.collect()
        after = processes(f"sleep {mark}")
    note(conduct.DAEMON, judged(after or processes(f"sleep {mark}"), "killed before collecting"))


def test_held_output(greedy: Sandbox, note: Note) -> None:
    result = done(greedy, conduct.HOLDER, seconds(), timeout=20)
    note(conduct.HOLDER, judged(result.timed_out, f"status {result.exit_status}, at once"))


def test_stubborn_command(greedy: Sandbox, note: Note) -> None:
    mark = seconds()
    result = done(greedy, conduct.STUBBORN, mark, timeout=1.5)
    left = processes(mark)
    note(conduct.STUBBORN, judged(not result.timed_out or left, "killed at the time limit"))


def test_fork_bomb(greedy: Sandbox, note: Note) -> None:
    result = done(greedy, conduct.BOMB, timeout=1.5)
    note(conduct.BOMB, judged(not is_alive(greedy) or result.exit_status == 0, "killed at the time limit"))


@pytest.mark.parametrize("attack", conduct.SIGNALS, ids=lambda attack: attack.name)
def test_signals(greedy: Sandbox, attack: Attack, note: Note) -> None:
    greedy.exec(["sh", "-c", "echo kept > file"])
    done(greedy, attack, timeout=2)
    kept = greedy.exec(["cat", "file"]).stdout
    note(attack, judged(kept != "kept\n", "the next command runs, the files are there"))


def test_escapes_in_evidence(shared: Sandbox, note: Note) -> None:
    assert "\x1b]0;evil" in done(shared, conduct.TITLES).stderr, "the escapes did not come as far as the worker"
    shown = observe(shared, ["python3", "-c", conduct.TITLES.program])
    note(conduct.TITLES, judged(not shown.output.replace("\n", "").isprintable(), "taken out of what is published"))
    assert "forged" in shown.output


def test_forged_mark(shared: Sandbox, note: Note) -> None:
    assert "<!-- entropy" in done(shared, conduct.COMMENT).stdout
    shown = observe(shared, ["python3", "-c", conduct.COMMENT.program])
    note(conduct.COMMENT, judged("<!--" in shown.output, "made harmless in what is published"))
    assert "entropy" in shown.output


@pytest.mark.parametrize("formatter", [RedactingJsonFormatter(), RedactingTextFormatter()], ids=["json", "text"])
def test_escapes_in_a_log(shared: Sandbox, note: Note, formatter: logging.Formatter) -> None:
    attack = conduct.JSON_LOG if isinstance(formatter, RedactingJsonFormatter) else conduct.TEXT_LOG
    said = done(shared, attack).stderr
    assert "\x1b]0;evil" in said, "the escapes did not come as far as the worker"
    line = formatter.format(logging.makeLogRecord({"msg": "it failed: %s", "args": (said,)}))
    note(attack, judged("\x1b" in line or "\x07" in line, "escaped"))
