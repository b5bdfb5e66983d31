"""Whatever the workspace became, collecting it runs nothing of it and reads nothing but it."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from entropy.errors import PolicyViolation
from entropy.sandbox.interface import Sandbox
from tests.integration.sandbox.places import processes
from tests.integration.sandbox.trees import patched, tar

BASE = {"a.txt": b"one\r\ntwo\n", "folder/b.txt": b"b\n", "notes.log": b"tracked\n"}
DEADLY = "#!/bin/sh\nkill -9 -1\n"

HONEST = "printf 'three\\n' >> a.txt; "
HONESTLY = {**BASE, "a.txt": b"one\r\ntwo\nthree\n"}

CONFIGURED = f"""
git init -q .
printf '{DEADLY}' > .git/deadly; chmod +x .git/deadly
git config core.fsmonitor "$PWD/.git/deadly"
git config filter.evil.clean "$PWD/.git/deadly"; git config filter.evil.smudge "$PWD/.git/deadly"
git config filter.evil.process "$PWD/.git/deadly"
git config diff.external "$PWD/.git/deadly"; git config diff.evil.command "$PWD/.git/deadly"
git config diff.evil.textconv "$PWD/.git/deadly"; git config core.worktree /usr; git config include.path /etc/passwd
for hook in post-index-change reference-transaction pre-commit; do cp .git/deadly .git/hooks/$hook; done
"""
SILENT = {
    "configured": CONFIGURED,
    "a file for .git": "rm -rf .git; echo 'gitdir: /tmp/elsewhere' > .git",
    "a link for .git": "rm -rf .git; ln -s / .git",
    "alternates": "git init -q .; echo /usr > .git/objects/info/alternates",
    "ignored tracked files": "",
}


@pytest.mark.parametrize("attack", SILENT)
def test_a_hostile_repository_in_the_workspace_has_no_say(sandbox: Sandbox, tmp_path: Path, attack: str) -> None:
    sandbox.put(tar(BASE))
    sandbox.exec(["sh", "-c", HONEST + SILENT[attack]])
    assert patched(tmp_path, BASE, sandbox.collect()) == HONESTLY


def test_attributes_in_the_tree_have_no_say(sandbox: Sandbox, tmp_path: Path) -> None:
    attributes = "* text eol=lf ident filter=evil diff=evil working-tree-encoding=UTF-16\n*.log -diff\n"
    sandbox.put(tar(BASE))
    sandbox.exec(
        ["sh", "-c", HONEST + f"printf '{attributes}' > .gitattributes; echo '$Id$' > id; echo x >> notes.log"]
    )
    found = patched(tmp_path, BASE, sandbox.collect())
    assert found == {
        **HONESTLY,
        ".gitattributes": attributes.encode(),
        "id": b"$Id$\n",
        "notes.log": b"tracked\nx\n",
    }


def test_what_the_tree_ignores_is_left_out_unless_tracked(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put(tar(BASE))
    sandbox.exec(["sh", "-c", "echo '*' > .gitignore; echo x >> notes.log; echo x > new; rm folder/b.txt"])
    found = patched(tmp_path, BASE, sandbox.collect())
    assert found == {"a.txt": BASE["a.txt"], "notes.log": b"tracked\nx\n"}


def test_links_come_out_as_links(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put(tar(BASE))
    sandbox.exec(
        ["sh", "-c", "ln -s /etc/passwd users; rm -r folder; ln -s /etc folder; ln -sf /proc/self/environ a.txt"]
    )
    patch = sandbox.collect()
    assert b"root:" not in patch
    assert b"PATH=" not in patch
    assert patch.count(b"new file mode 120000") == 3
    assert b"+/etc/passwd\n" in patch


COMMITTED = "git add x && git -c user.name=x -c user.email=x commit -qm x"
DEEP = "import os\nfor i in range(2000): os.mkdir('d'*100); os.chdir('d'*100)\nopen('x', 'w').close()"
UNFIT = {
    f"mkdir sub && cd sub && git init -q . && echo x > x && {COMMITTED}": "a git repository of its own",
    "mkdir sub && cd sub && git init -q . && echo x > x": "does not have a commit",
    "echo x > closed; chmod 000 closed": "Permission denied",
    "mkdir closed; echo x > closed/x; chmod 000 closed": "Permission denied",
    "echo x >> folder/b.txt; chmod 000 folder": "Permission denied",
    f'python3 -c "{DEEP}"': "cannot read the workspace. .ddd",
}


@pytest.mark.parametrize("attack", UNFIT)
def test_a_workspace_that_git_cannot_take_is_refused(sandbox: Sandbox, attack: str) -> None:
    sandbox.put(tar(BASE))
    sandbox.exec(["sh", "-c", attack])
    with pytest.raises(PolicyViolation, match=f"No patch could be made: .*{UNFIT[attack]}"):
        sandbox.collect()


def test_special_files_are_passed_over(sandbox: Sandbox) -> None:
    sandbox.put(tar(BASE))
    sandbox.exec(["sh", "-c", "mkfifo pipe folder/pipe; python3 -c 'import socket; socket.socket(1).bind(\"sock\")'"])
    started = time.monotonic()
    assert sandbox.collect() == b""
    assert time.monotonic() - started < 20


def test_work_that_goes_on_is_ended_before_collecting(sandbox: Sandbox, run_id: str) -> None:
    mark = f"6{int(run_id[-6:], 16)}"
    sandbox.put(tar(BASE))
    sandbox.exec(["sh", "-c", f"(setsid sh -c 'while :; do date > racing; sleep 0.0{mark}; done' &) ; sleep 0.2"])
    assert sandbox.collect().count(b"diff --git") == 1
    assert processes(mark) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: tar({"../outside": b"x"}),
        lambda: tar({"/absolute": b"x"}),
        lambda: tar({"a/../../b": b"x"}),
        lambda: b"not a tar, but long enough to be looked at" * 50,
        lambda: tar({"cut": b"x" * 5000})[:2000],
    ],
)
def test_a_spoilt_snapshot_is_refused(sandbox: Sandbox, spoil: Callable[[], bytes]) -> None:
    with pytest.raises(PolicyViolation):
        sandbox.put(spoil())
