"""Pushing with a lease: a branch is only ever moved from where this run saw it."""

from collections.abc import Callable

import pytest

from entropy.errors import ForgeConflict, ForgeRefused
from entropy.repository import Mirror
from tests.integration.repository.conftest import Origin

BRANCH = "entropy/issue-1"
Commit = Callable[..., str]


@pytest.fixture
def commits(origin: Origin, commit_patch: Commit) -> tuple[str, str]:
    patch = origin.patch({"src/widgets.py": "SIZE = 2\n"})
    return commit_patch(patch, when=1), commit_patch(patch, when=2)


def branch(origin: Origin) -> str:
    return origin.git("rev-parse", BRANCH, at=origin.bare).decode().strip()


def test_a_new_branch(origin: Origin, mirror: Mirror, commits: tuple[str, str]) -> None:
    mirror.push(commits[0], BRANCH, expected=None)
    assert branch(origin) == commits[0]


def test_again_with_the_same_commit_is_fine(origin: Origin, mirror: Mirror, commits: tuple[str, str]) -> None:
    mirror.push(commits[0], BRANCH, expected=None)
    mirror.push(commits[0], BRANCH, expected=None)
    mirror.push(commits[0], BRANCH, expected="1" * 40)
    assert branch(origin) == commits[0]


def test_a_branch_that_should_not_be_there_is_a_conflict(
    origin: Origin, mirror: Mirror, commits: tuple[str, str]
) -> None:
    mirror.push(commits[0], BRANCH, expected=None)
    with pytest.raises(ForgeConflict, match="has moved"):
        mirror.push(commits[1], BRANCH, expected=None)
    assert branch(origin) == commits[0]


def test_a_rework_replaces_what_it_saw(origin: Origin, mirror: Mirror, commits: tuple[str, str]) -> None:
    mirror.push(commits[0], BRANCH, expected=None)
    mirror.push(commits[1], BRANCH, expected=commits[0])
    assert branch(origin) == commits[1]


def test_a_rework_does_not_replace_what_it_did_not_see(
    origin: Origin, mirror: Mirror, commits: tuple[str, str]
) -> None:
    mirror.push(commits[0], BRANCH, expected=None)
    persons = origin.commit({"by-hand": "x"}, branch="by-hand")
    origin.git("update-ref", f"refs/heads/{BRANCH}", persons, at=origin.bare)
    with pytest.raises(ForgeConflict):
        mirror.push(commits[1], BRANCH, expected=commits[0])
    assert branch(origin) == persons


def test_a_branch_that_was_deleted_meanwhile_is_a_conflict(mirror: Mirror, commits: tuple[str, str]) -> None:
    with pytest.raises(ForgeConflict):
        mirror.push(commits[1], BRANCH, expected=commits[0])


def test_what_the_forge_declines_is_refused(origin: Origin, mirror: Mirror, commits: tuple[str, str]) -> None:
    hook = origin.bare / "hooks/update"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ForgeRefused, match="see its branch rules") as caught:
        mirror.push(commits[0], BRANCH, expected=None)
    assert not isinstance(caught.value, ForgeConflict)


def test_a_twin_that_was_quicker_with_the_same_commit_is_fine(
    origin: Origin, mirror: Mirror, commits: tuple[str, str]
) -> None:
    hook = origin.bare / "hooks/update"
    hook.write_text(f'#!/bin/sh\ngit update-ref "$1" "$3"\ntouch {origin.bare}/ran\n')
    hook.chmod(0o755)
    mirror.push(commits[0], BRANCH, expected=None)
    assert branch(origin) == commits[0]
    assert (origin.bare / "ran").exists()


def test_hooks_of_the_mirror_do_not_run(mirror: Mirror, commits: tuple[str, str]) -> None:
    hooks = mirror.directory / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {mirror.directory}/ran\n")
        (hooks / name).chmod(0o755)
    mirror.push(commits[0], BRANCH, expected=None)
    mirror.fetch()
    assert not (mirror.directory / "ran").exists()
