"""What untrusted work leaves as its workspace is unpacked as a tree below its folder, or not at all."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from entropy.sandbox.backends import unpacking
from entropy.sandbox.backends.unpacking import BAD

SIZE, COUNT = 1 << 20, 50


def archive(*members: tarfile.TarInfo, content: bytes = b"") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as written:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            written.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def unpacked(folder: Path, data: bytes) -> "subprocess.CompletedProcess[bytes]":
    root = folder / "root"
    root.mkdir()
    argv = [sys.executable, "-I", unpacking.__file__, str(root), str(SIZE), str(COUNT)]
    return subprocess.run(argv, input=data, capture_output=True, check=False, cwd=folder)


def test_a_tree_comes_out_as_it_went_in(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "folder" / "inner").mkdir(parents=True)
    (tree / "folder" / "inner" / ("n" * 200)).write_bytes(b"long\n")
    (tree / "tool").write_bytes(b"#!/bin/sh\n")
    (tree / "tool").chmod(0o4755)
    (tree / "link").symlink_to("/etc/passwd")
    (tree / "twin").hardlink_to(tree / "tool")
    packed = subprocess.run(
        ["tar", "--create", "--file=-", "--hard-dereference", "--format=gnu", "--directory", tree, "."],
        capture_output=True,
        check=True,
    )
    assert unpacked(tmp_path, packed.stdout).returncode == 0
    root = tmp_path / "root"
    assert (root / "folder" / "inner" / ("n" * 200)).read_bytes() == b"long\n"
    assert (root / "link").readlink() == Path("/etc/passwd")
    assert (root / "twin").read_bytes() == (root / "tool").read_bytes() == b"#!/bin/sh\n"
    assert (root / "tool").stat().st_mode & 0o7777 == 0o755


HOSTILE: dict[str, Callable[[], bytes]] = {
    "above": lambda: archive(member("../outside"), content=b"x"),
    "above, in the middle": lambda: archive(member("a/../../outside"), content=b"x"),
    "absolute": lambda: archive(member("/tmp/outside"), content=b"x"),
    "through a link": lambda: archive(member("a", tarfile.SYMTYPE, ".."), member("a/outside"), content=b"x"),
    "a folder through a link": lambda: archive(
        member("a", tarfile.SYMTYPE, ".."), member("a/outside", tarfile.DIRTYPE)
    ),
    "a link through a link": lambda: archive(
        member("a", tarfile.SYMTYPE, ".."), member("a/outside", tarfile.SYMTYPE, "/")
    ),
    "over a link": lambda: archive(member("a", tarfile.SYMTYPE, "../outside"), member("a"), content=b"x"),
    "too many": lambda: archive(*(member(f"f{number}") for number in range(COUNT + 1))),
    "too large": lambda: archive(member("large"), content=bytes(SIZE + 1)),
    "too large in all": lambda: archive(member("a"), member("b"), content=bytes(SIZE // 2 + 1)),
    "no archive": lambda: b"no archive at all" * 100,
    "cut off": lambda: archive(member("a"), content=b"x" * 5000)[:2000],
    "a name that is too long": lambda: archive(member("n/" * 3000 + "x"), content=b"x"),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_archive_is_refused_and_writes_nothing_outside(tmp_path: Path, attack: str) -> None:
    done = unpacked(tmp_path, HOSTILE[attack]())
    assert done.returncode == BAD
    assert b"Traceback" not in done.stderr
    assert (b"lies outside" in done.stderr) == attack.startswith(("above", "absolute"))
    assert len(done.stderr) <= 401
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE])
def test_devices_pipes_and_hard_links_are_passed_over(tmp_path: Path, kind: bytes) -> None:
    assert unpacked(tmp_path, archive(member("special", kind, "/etc/passwd"), member("file"))).returncode == 0
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["file"]
