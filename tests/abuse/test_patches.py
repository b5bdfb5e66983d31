"""A change has names that people can read, is made of plain files, and leaves alone what steers git and the forge."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from entropy.errors import PolicyViolation
from entropy.models import Identity
from entropy.repository import Mirror, PatchRules
from entropy.sandbox.interface import Backend, Sandbox
from entropy.settings import RepositorySettings
from tests.abuse import patches
from tests.abuse.attack import WON, Attack, Verdict
from tests.abuse.conftest import Note, new_run
from tests.abuse.patches import Raw, Row
from tests.integration.repository.conftest import ENVIRONMENT, Origin, tree_of

BASE: dict[str, str | bytes] = {
    "README.rst": "Widgets\n",
    "src/widgets.py": "SIZE = 1\n",
    ".github/workflows/ci.yml": "on: push\n",
}
WHO = Identity(login="entropy-coder", name="Entropy coder", email="1+entropy-coder@users.noreply.example.org")

LEAVE = """
import json, os, sys
for number, path in enumerate(json.loads(sys.argv[1])):
    path = path.encode("latin-1")
    os.makedirs(os.path.dirname(path) or b".", exist_ok=True)
    with open(path, "w") as file:
        file.write("row %d\\n" % number)
"""

Publish = Callable[[bytes], Verdict]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    origin = Origin(tmp_path_factory.mktemp("origin"))
    origin.commit(BASE)
    return origin


@pytest.fixture(scope="module")
def mirror(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    settings = RepositorySettings(cache=tmp_path_factory.mktemp("cache"))
    mirror = Mirror(settings, url=f"file://{origin.bare}", token=None, protocols=("file",))
    mirror.fetch()
    return mirror


@pytest.fixture(scope="module")
def publish(mirror: Mirror) -> Publish:
    """What becomes of a patch that an agent left."""

    def commit(patch: bytes) -> Verdict:
        rules = PatchRules(max_files=300)
        try:
            made = mirror.commit_patch("main", patch, message="Evil", identity=WHO, when=1_790_000_000, rules=rules)
        except PolicyViolation as refusal:
            said = str(refusal)
            assert said.isprintable(), f"the refusal itself steers a terminal: {said!r}"
            return Verdict("refused", "")
        return Verdict(WON, f"commit {made[:12]}")

    return commit


def applies(patch: bytes, folder: Path) -> bool:
    """Whether somebody who does not look gets what the patch wants: in a plain folder, or in an index."""
    folder.mkdir()
    for name, content in BASE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    environment = {**ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    plain = ["git", "apply", "--unsafe-paths", "--directory=", "-"]
    careless = ["-c", "core.protectNTFS=false", "-c", "core.protectHFS=false"]
    done = subprocess.run(plain, cwd=folder, env=environment, input=patch, capture_output=True, check=False)
    if done.returncode == 0:
        return True
    for words in (["init", "-q"], ["add", "-A"], ["apply", "--cached", "-"]):
        done = subprocess.run(
            ["git", *careless, *words], cwd=folder, env=environment, input=patch, capture_output=True, check=False
        )
    return done.returncode == 0


@pytest.fixture(scope="module")
def harvest(backend: Backend, mirror: Mirror) -> list[bytes]:
    """The patch of a workspace with every name in it, one part for each file."""
    with backend.open(new_run()) as sandbox:
        sandbox.put(tree_of(mirror, "main"))
        names = json.dumps([path.decode("latin-1") for _, _, path in patches.NAMES])
        result = sandbox.exec(["python3", "-c", LEAVE, names])
        assert result.exit_status == 0, result
        patch = sandbox.collect()
    return [b"diff --git " + part for part in b"\n".join([b"", patch]).split(b"\ndiff --git ")[1:]]


@pytest.mark.parametrize("number", range(len(patches.NAMES)), ids=lambda number: patches.NAMES[number][0])
def test_name(harvest: list[bytes], publish: Publish, number: int, note: Note, tmp_path: Path) -> None:
    row: Row = patches.NAMES[number]
    part = next(part for part in harvest if part.rstrip(b"\n").endswith(b"\n+row %d" % number)).rstrip(b"\n") + b"\n"
    assert applies(part, tmp_path / "careless"), "the control shows nothing"
    note(patches.attack(row), publish(part))


@pytest.mark.parametrize("raw", patches.RAW, ids=lambda raw: raw.row[0])
def test_raw(publish: Publish, raw: Raw, note: Note, tmp_path: Path) -> None:
    try:
        # One by one: git itself does not write through a link that the same patch makes.
        parts = [raw.patch] if raw.whole else [b"diff --git " + part for part in raw.patch.split(b"diff --git ")[1:]]
        for number, part in enumerate(parts):
            assert applies(part, tmp_path / f"careless-{number}"), "the control shows nothing"
    finally:
        Path(patches.ABSOLUTE).unlink(missing_ok=True)
    note(patches.attack(raw.row), publish(raw.patch))


SMALL_LIMIT = 1 << 20
"""Of the patch, in the settings of these tests."""
BINARY = Attack("patch: five megabytes of noise", patches.MUCH, "head -c 5000000 /dev/urandom > noise")
ZIP_BOMB = Attack(
    "patch: sixty megabytes of nothing",
    "a small patch that fills the worker, the mirror and the forge",
    "head -c 60000000 /dev/zero > nothing",
)


def test_noise(own: Sandbox, mirror: Mirror, note: Note) -> None:
    own.put(tree_of(mirror, "main"))
    assert own.exec(["sh", "-c", BINARY.body]).exit_status == 0
    with pytest.raises(PolicyViolation, match="bytes, more than"):
        own.collect()
    note(BINARY, Verdict("refused", ""))


def test_zip_bomb(own: Sandbox, mirror: Mirror, publish: Publish, note: Note) -> None:
    own.put(tree_of(mirror, "main"))
    assert own.exec(["sh", "-c", ZIP_BOMB.body]).exit_status == 0
    try:
        patch = own.collect()
    except PolicyViolation:
        note(ZIP_BOMB, Verdict("refused", ""))
        return
    assert len(patch) < SMALL_LIMIT
    note(ZIP_BOMB, publish(patch))
