"""What a workspace makes git run for whoever trusts it, it does not make the collector run."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.errors import PolicyViolation
from entropy.sandbox.interface import Backend, Sandbox
from tests.abuse import git_payloads
from tests.abuse.attack import WON, Attack, Verdict
from tests.abuse.conftest import Note, new_run
from tests.integration.sandbox.trees import patched, tar

BASE = {"a.txt": b"one\r\ntwo\n"}
HONEST = "printf 'three\\n' >> a.txt\n"
HONESTLY = {"a.txt": b"one\r\ntwo\nthree\n"}
DEADLY = "echo ran > /workspace/ran; kill -9 -1"
"""What the payload does inside; outside it only touches a file."""


def shell(folder: Path, script: str, **environment: str) -> str:
    """Run where nobody is careful; git's settings are the folder's own."""
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(folder.parent / "home"), **environment}
    (folder.parent / "home").mkdir(exist_ok=True)
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=surroundings, capture_output=True, timeout=60, check=False
    )
    return (done.stdout + done.stderr).decode(errors="replace")


def naive(tmp_path: Path, plant: str, habit: str, *, start: str = "") -> bool:
    """Whether a plant works on somebody who looks at the folder with git and trusts it."""
    folder, canary = tmp_path / "naive", tmp_path / "canary"
    folder.mkdir()
    shell(tmp_path, "git init -q --bare origin")
    for name, content in BASE.items():
        (folder / name).write_bytes(content)
    shell(folder, start)
    shell(folder, plant, DEED=f"touch {canary}")
    said = shell(folder, habit)
    assert "not found" not in said.replace("'origin/x' not found", ""), said
    return canary.exists()


def planted(sandbox: Sandbox, plant: str, *, start: str = "true") -> None:
    result = sandbox.exec(["sh", "-c", f"set -e\n{HONEST}{start}\n{plant}\necho planted"])
    assert result.stdout.endswith("planted\n"), result


def honest(patch: bytes, folder: Path) -> Verdict:
    folder.mkdir()
    if patched(folder, BASE, patch) == HONESTLY:
        return Verdict("not run, the patch is right", "")
    return Verdict(WON, f"another patch: {patch[:200]!r}")


@pytest.fixture(scope="module")
def harvest(backend: Backend) -> Iterator[bytes]:
    """The patch of a workspace in which every kind of payload is planted at once."""
    with backend.open(new_run()) as sandbox:
        sandbox.put(tar(BASE))
        plants = "\n".join(attack.body for attack in git_payloads.TABLE)
        planted(sandbox, f"DEED='{DEADLY}'\n{plants}", start=git_payloads.START)
        yield sandbox.collect()


@pytest.fixture(scope="session")
def shown() -> set[str]:
    """Controls that have shown what they are for; it is the same for every backend."""
    return set()


@pytest.mark.parametrize("attack", git_payloads.TABLE, ids=lambda attack: attack.name)
def test_payload(harvest: bytes, attack: Attack, shown: set[str], note: Note, tmp_path: Path) -> None:
    if attack.name not in shown:
        assert naive(tmp_path, attack.body, git_payloads.HABIT, start=git_payloads.START), "the control shows nothing"
        shown.add(attack.name)
    note(attack, honest(harvest, tmp_path / "patched"))


@pytest.mark.parametrize("attack", git_payloads.PLACES, ids=lambda attack: attack.name)
def test_place(own: Sandbox, attack: Attack, note: Note, tmp_path: Path) -> None:
    assert naive(tmp_path, attack.body, git_payloads.NAIVE), "the control shows nothing"
    own.put(tar(BASE))
    planted(own, f"DEED='{DEADLY}'\n{attack.body}")
    patch = own.collect()
    verdict = Verdict(WON, "the payload ran") if b"+++ b/ran" in patch else Verdict("not run, the patch is right", "")
    assert b"+three" in patch
    note(attack, verdict)


def test_nested_repository(own: Sandbox, note: Note, tmp_path: Path) -> None:
    attack = git_payloads.NESTED
    assert naive(tmp_path, attack.body, "git init -q .; git add -A; git status; git diff"), "the control shows nothing"
    own.put(tar(BASE))
    planted(own, f"DEED='{DEADLY}'\n{attack.body}")
    with pytest.raises(PolicyViolation, match="a git repository of its own") as refusal:
        own.collect()
    note(attack, Verdict(f"refused: {str(refusal.value).partition('.')[0]}", ""))


READERS = [
    (git_payloads.WORKTREE, "git add -A 2>&1; git ls-files; git diff --cached 2>&1"),
    (git_payloads.ALTERNATES, 'git cat-file -p "$(git -C "$SECRETS" rev-parse HEAD:secret)"'),
    (git_payloads.LINK, "cp -rL . ../copy; cat ../copy/stolen"),
]


@pytest.mark.parametrize("reader", READERS, ids=lambda pair: pair[0].name)
def test_reading(own: Sandbox, reader: tuple[Attack, str], note: Note, tmp_path: Path) -> None:
    attack, habit = reader
    secrets, folder = tmp_path / "secrets", tmp_path / "naive"
    for path in (secrets, folder):
        path.mkdir()
    (secrets / "secret").write_text("of-the-machine")
    shell(secrets, git_payloads.START)
    shell(folder, attack.body, SECRETS=str(secrets))
    said = shell(folder, habit, SECRETS=str(secrets))
    assert "secret" in said or "of-the-machine" in said, f"the control shows nothing: {said}"
    own.put(tar(BASE))
    planted(own, f"SECRETS={secrets}\n{attack.body}")
    patch = own.collect()
    assert b"+three" in patch
    leaked = b"of-the-machine" in patch or b"/secret b/" in patch
    note(
        attack, Verdict(WON, "a file of the machine") if leaked else Verdict("nothing of the machine in the patch", "")
    )
