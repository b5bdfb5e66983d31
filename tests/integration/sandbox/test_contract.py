"""What every backend does: a tree goes in, commands run, a patch comes out, bounds hold."""

import hashlib
import time
from pathlib import Path

import pytest

from entropy.errors import IllegalStep, PolicyViolation
from entropy.sandbox.factory import make_backend
from entropy.sandbox.files import write_file
from entropy.sandbox.interface import Backend, Sandbox
from entropy.settings import SandboxSettings
from tests.integration.sandbox.places import Place
from tests.integration.sandbox.trees import patched, tar

BINARY = bytes(range(256)) * 16
BASE = {
    "README": b"old\n",
    "picture": BINARY,
    "doomed": b"x\n",
    "tool": b"#!/bin/sh\n",
    "script*": b"#!/bin/sh\n",
    "link@": b"README",
    "kept.log": b"tracked\n",
    ".gitignore": b"*.log\n",
    "windows": b"a\r\nb\r\n",
    "folder/inner": b"inner\n",
    "with space/ünder": b"unicode\n",
}
CHANGE = r"""
echo new > README
head -c 5000 /dev/zero > picture
rm doomed
chmod +x tool; chmod -x script
ln -sf folder/inner link
echo more >> kept.log
echo noise > build.log
printf 'c\r\n' >> windows
mv folder moved
printf '\0\1\2' > 'new binary'
"""
CHANGED = {
    "README": b"new\n",
    "picture": bytes(5000),
    "tool*": b"#!/bin/sh\n",
    "script": b"#!/bin/sh\n",
    "link@": b"folder/inner",
    "kept.log": b"tracked\nmore\n",
    ".gitignore": b"*.log\n",
    "windows": b"a\r\nb\r\nc\r\n",
    "moved/inner": b"inner\n",
    "with space/ünder": b"unicode\n",
    "new binary": b"\0\1\2",
}


def shell(sandbox: Sandbox, script: str, timeout: float | None = None) -> str:
    result = sandbox.exec(["sh", "-c", script], timeout=timeout)
    assert result.exit_status == 0, result
    return result.stdout


def test_changes_come_out_as_a_patch(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put(tar(BASE))
    shell(sandbox, CHANGE)
    patch = sandbox.collect()
    assert patched(tmp_path, BASE, patch) == CHANGED
    assert sandbox.collect() == patch


def test_a_tree_comes_from_a_file_and_is_compared_with_it(sandbox: Sandbox, tmp_path: Path) -> None:
    base = BASE | {"larger than any pipe": BINARY * 700}
    with (tmp_path / "tree.tar").open("w+b") as tree:
        tree.write(tar(base))
        sandbox.put(tree)
        shell(sandbox, CHANGE)
        patch = sandbox.collect()
    (tmp_path / "folder").mkdir()
    assert patched(tmp_path / "folder", base, patch) == CHANGED | {"larger than any pipe": BINARY * 700}


def test_nothing_changed_is_an_empty_patch(sandbox: Sandbox) -> None:
    sandbox.put(tar(BASE))
    shell(sandbox, "touch README; echo noise > build.log; mkdir empty; cp -p README copy; rm copy")
    assert sandbox.collect() == b""


def test_a_change_within_old_times_and_sizes_is_seen(sandbox: Sandbox) -> None:
    sandbox.put(tar(BASE))
    shell(sandbox, "printf 'sly\\n' > README; touch -d @0 README; mv README other; mv other README")
    assert b"+sly" in sandbox.collect()


def test_steps_out_of_order_are_refused(sandbox: Sandbox) -> None:
    sandbox.put(tar({"a": b"1\n"}))
    with pytest.raises(IllegalStep):
        sandbox.put(tar({"a": b"1\n"}))
    sandbox.collect()
    with pytest.raises(IllegalStep):
        sandbox.exec(["true"])


def test_results_of_commands(sandbox: Sandbox) -> None:
    shout = sandbox.exec(["sh", "-c", "cat; echo err >&2; exit 3"], stdin=b"in")
    assert (shout.exit_status, shout.stdout, shout.stderr, shout.timed_out) == (3, "in", "err\n", False)
    assert sandbox.exec(["no-such-program"]).exit_status == 127
    assert sandbox.exec(["sh", "-c", "kill -9 $$"]).exit_status == 137
    large = BINARY * 700
    assert sandbox.exec(["sha256sum"], stdin=large).stdout.split()[0] == hashlib.sha256(large).hexdigest()
    assert sandbox.exec(["true"], stdin=large).exit_status == 0
    assert sandbox.exec(["printf", "%s", "a b", "c"]).stdout == "a bc"


def test_tools_are_there(sandbox: Sandbox) -> None:
    assert "pytest" in shell(sandbox, "python -m pytest --version 2>&1; git --version")


def test_a_command_ends_at_its_time_limit_with_all_it_started(sandbox: Sandbox) -> None:
    sandbox.put(tar({"kept": b"1\n"}))
    daemon = "setsid sh -c 'trap \"\" TERM HUP; while :; do date >> alive; sleep 0.05; done' & sleep 60"
    started = time.monotonic()
    result = sandbox.exec(["sh", "-c", daemon], timeout=1.5)
    assert (result.exit_status, result.timed_out) == (None, True)
    assert time.monotonic() - started < 10
    sizes = shell(sandbox, "wc -c < alive; sleep 0.5; wc -c < alive; cat kept").split()
    assert sizes[0] == sizes[1]
    assert int(sizes[0]) > 0
    assert sizes[2] == "1"


def test_what_a_command_leaves_running_does_not_hold_it_up(sandbox: Sandbox) -> None:
    started = time.monotonic()
    assert sandbox.exec(["sh", "-c", "sleep 50 & echo done"]).stdout == "done\n"
    assert time.monotonic() - started < 10


def test_the_stage_has_a_clock_of_its_own(place: Place, run_id: str) -> None:
    with _with(place, timeout=0.001).open(run_id) as sandbox:
        assert sandbox.exec(["sleep", "60"]).timed_out


def test_endless_output_is_drained_and_cut_in_the_middle(sandbox: Sandbox) -> None:
    kept = 16 * 1024
    result = sandbox.exec(["sh", "-c", "echo first; yes | head -c 50000000; echo last; echo problem >&2"])
    assert result.exit_status == 0
    assert result.truncated
    assert result.stdout.startswith("first\n")
    assert result.stdout.endswith("last\n")
    assert len(result.stdout) < kept + 100
    assert result.stderr == "problem\n"
    assert sandbox.exec(["yes"], timeout=1).timed_out


def test_a_patch_that_is_too_large_is_refused_not_cut(sandbox: Sandbox) -> None:
    sandbox.put(tar({"a": b"1\n"}))
    shell(sandbox, "head -c 3000000 /dev/urandom > large")
    with pytest.raises(PolicyViolation, match="ENTROPY_SANDBOX__PATCH_MIB"):
        sandbox.collect()


def test_a_tree_that_does_not_fit_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(PolicyViolation, match="ENTROPY_SANDBOX__WORKSPACE_MIB"):
        sandbox.put(tar({"large": bytes(70 * 1024 * 1024)}))


def test_files_are_written_inside_the_workspace_only(sandbox: Sandbox) -> None:
    sandbox.put(tar({"folder/a": b"1\n"}))
    write_file(sandbox, "folder/new/b", BINARY)
    write_file(sandbox, "-n", b"dash\n")
    for path in ("/etc/x", "../x", "a/../../x", "", ".git/config", "a\nb"):
        with pytest.raises(PolicyViolation):
            write_file(sandbox, path, b"")
    with pytest.raises(PolicyViolation, match="cannot be written"):
        write_file(sandbox, "folder/a/c", b"")
    assert shell(sandbox, "wc -c < folder/new/b; cat ./-n").split() == [str(len(BINARY)), "dash"]


def _with(place: Place, **changes: object) -> Backend:
    return make_backend(SandboxSettings.model_validate({**place.settings.model_dump(), **changes}))
