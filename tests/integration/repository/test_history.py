"""A workspace with history: a repository of a few commits, and of nothing else that the mirror or the forge has."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from entropy.errors import PolicyViolation
from entropy.repository import Mirror
from entropy.settings import RepositorySettings
from tests.integration.repository.conftest import ENVIRONMENT, Origin, tree_of


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    return done.stdout


def unpacked(mirror: Mirror, folder: Path, history: int) -> Path:
    tree = io.BytesIO()
    mirror.snapshot("main", into=tree, history=history)
    with tarfile.open(fileobj=io.BytesIO(tree.getvalue())) as archive:
        # Not the argument `filter`: Debian's Python 3.11.2 does not know it.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
    return folder


@pytest.fixture
def grown(origin: Origin, mirror: Mirror) -> Mirror:
    """A mirror with history, another branch, a tag, and settings, of which a workspace is to see little."""
    origin.commit({"old": "long ago\n"})
    origin.git("rm", "-q", "old")
    for number in range(4):
        origin.commit({"README.rst": f"Widgets {number}\n"})
    origin.git("tag", "v1")
    origin.git("push", "-q", "origin", "v1")
    origin.commit({"secret": "of another branch\n"}, branch="other")
    mirror.fetch()
    git(mirror.directory, "config", "user.name", "the worker")
    (mirror.directory / "hooks").mkdir()
    (mirror.directory / "hooks" / "post-checkout").write_text("#!/bin/sh\n")
    return mirror


def test_a_workspace_has_so_many_commits_and_nothing_else(grown: Mirror, origin: Origin, tmp_path: Path) -> None:
    work = unpacked(grown, tmp_path / "workspace", 3)
    assert git(work, "log", "--format=%H").split() == origin.git("log", "-3", "--format=%H", "HEAD~1").decode().split()
    assert "-Widgets 2\n+Widgets 3" in git(work, "show")
    assert git(work, "status", "--porcelain") == ""
    git(work, "fsck", "--strict")
    assert git(work, "for-each-ref", "--format=%(refname)") == "refs/heads/base\n"
    assert git(work, "remote") == ""
    assert {line.partition("=")[0] for line in git(work, "config", "--local", "--list").splitlines()} == {
        "core.repositoryformatversion",
        "core.filemode",
        "core.bare",
    }
    assert not (work / ".git" / "hooks").exists()
    there = git(work, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
    for hidden in ("HEAD", "HEAD:secret", "HEAD~5:old", "HEAD~5"):
        assert origin.git("rev-parse", hidden).decode().strip() not in there


def test_without_a_wish_there_is_none(grown: Mirror) -> None:
    with tarfile.open(fileobj=io.BytesIO(tree_of(grown, "main"))) as archive:
        assert not [name for name in archive.getnames() if name.startswith(".git/")]


def test_all_of_a_short_history_is_whole(mirror: Mirror, tmp_path: Path) -> None:
    work = unpacked(mirror, tmp_path / "workspace", 50)
    assert git(work, "rev-list", "--count", "HEAD") == "1\n"
    assert git(work, "rev-parse", "--is-shallow-repository") == "false\n"


def test_history_counts_as_part_of_the_snapshot(origin: Origin, tmp_path: Path) -> None:
    for content in (os.urandom(900_000), os.urandom(900_000), b"small"):
        origin.commit({"big": content})
    small = RepositorySettings(cache=tmp_path / "cache", snapshot_mib=1)
    mirror = Mirror(small, url=f"file://{origin.bare}", token=None, protocols=("file",))
    mirror.fetch()
    assert tree_of(mirror, "main")
    with pytest.raises(PolicyViolation, match="ENTROPY_REPOSITORY__SNAPSHOT_MIB"):
        mirror.snapshot("main", into=io.BytesIO(), history=3)
