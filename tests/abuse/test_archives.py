"""What unpacks a snapshot writes into the workspace only, plain files only, and not more than fits."""

import gzip
import subprocess
from pathlib import Path

import pytest

from entropy.errors import PolicyViolation
from entropy.sandbox.interface import Sandbox
from tests.abuse import archives
from tests.abuse.attack import WON, Attack, Verdict
from tests.abuse.conftest import Note
from tests.integration.sandbox.trees import tar

CARELESS = ("tar", "--extract", "--file=-", "--absolute-names", "--ignore-zeros")


def unpacked(archive: bytes, folder: Path) -> set[str]:
    """What somebody has who unpacks it and does not look: kinds of files, sizes, and what is outside."""
    folder.mkdir()
    done = subprocess.run(CARELESS, cwd=folder, input=archive, capture_output=True, check=False, timeout=60)
    found = {"outside"} if (folder.parent / "outside").exists() or Path(archives.ABSOLUTE).exists() else set()
    Path(archives.ABSOLUTE).unlink(missing_ok=True)
    files = [path for path in folder.rglob("*") if not path.is_symlink()]
    for path in files:
        if path.is_char_device() or path.is_block_device() or path.is_fifo():
            found.add("special")
        elif path.stat().st_nlink > 1 and path.is_file():
            found.add("linked")
        elif path.stat().st_size > 1 << 30:
            found.add("large")
    if len(files) > 10_000:
        found.add("many")
    if b"Unexpected EOF" in done.stderr:
        found.add("claimed")
    return found


@pytest.mark.parametrize("case", archives.REFUSED, ids=lambda case: case[0].name)
def test_refused(shared: Sandbox, case: tuple[Attack, archives.Make], note: Note, tmp_path: Path) -> None:
    attack, make = case
    archive = make()
    assert unpacked(archive, tmp_path / "careless"), "the control shows nothing"
    try:
        shared.put(archive)
    except PolicyViolation:
        note(attack, Verdict("refused", ""))
    else:
        note(attack, Verdict(WON, "unpacked"))


def test_link(own: Sandbox, note: Note, tmp_path: Path) -> None:
    """Links are part of a repository; what is behind them is the sandbox's own."""
    (tmp_path / "target").mkdir()
    archive = tar({"folder@": str(tmp_path / "target").encode(), "folder/evil": b"evil"})
    (tmp_path / "careless").mkdir()
    subprocess.run(CARELESS, cwd=tmp_path / "careless", input=archive, check=True)
    assert (tmp_path / "target" / "evil").exists(), "the control shows nothing"
    (tmp_path / "target" / "evil").unlink()
    try:
        own.put(archive)
        got = "unpacked, inside only"
    except PolicyViolation:
        got = "refused"
    won = (tmp_path / "target" / "evil").exists()
    note(archives.THROUGH, Verdict(WON, "a file of the machine") if won else Verdict(got, ""))


def test_setuid(own: Sandbox, note: Note, tmp_path: Path) -> None:
    archive = archives.packed(archives.member("program", mode=0o6755))
    (tmp_path / "careless").mkdir()
    subprocess.run([*CARELESS, "--same-permissions"], cwd=tmp_path / "careless", input=archive, check=True)
    assert (tmp_path / "careless" / "program").stat().st_mode & 0o6000, "the control shows nothing"
    own.put(archive)
    mode = own.exec(["stat", "-c", "%a %u", "program"]).stdout.split()
    note(archives.SETUID, Verdict(WON, " ".join(mode)) if mode[1] == "0" else Verdict(f"mode {mode[0]}, nobody's", ""))
    assert own.collect() == b""


def test_second_archive(own: Sandbox, note: Note, tmp_path: Path) -> None:
    archive = tar({"a.txt": b"a"}) + archives.packed(archives.member("../outside"))
    assert "outside" in unpacked(archive, tmp_path / "careless"), "the control shows nothing"
    try:
        own.put(archive)
    except PolicyViolation:
        note(archives.SECOND, Verdict("refused", ""))
        return
    found = own.exec(["sh", "-c", "ls -A . ..; ls -A /tmp"]).stdout.split()
    assert "a.txt" in found
    note(archives.SECOND, Verdict(WON, "unpacked") if "outside" in found else Verdict("left out", ""))


def test_packed(own: Sandbox, note: Note, tmp_path: Path) -> None:
    archive = gzip.compress(bytes(1 << 26))
    assert len(gzip.decompress(archive)) > 500 * len(archive), "the control shows nothing"
    try:
        own.put(archive)
    except PolicyViolation:
        note(archives.PACKED, Verdict("refused", ""))
    else:
        note(archives.PACKED, Verdict(WON, "unpacked"))
