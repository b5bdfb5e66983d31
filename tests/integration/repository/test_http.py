"""Over HTTP as with a forge: the credential arrives, and is nowhere else; what goes wrong has the right name."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from entropy.errors import ForgeRefused, ForgeUnavailable
from entropy.models import Identity, Secret
from entropy.repository import Mirror, PatchRules
from entropy.settings import RepositorySettings
from tests.integration.repository.conftest import TOKEN, Forge, Origin, tree_of


class _Watch:
    """Reads the arguments of all processes for as long as the ``with`` lasts."""

    def __init__(self) -> None:
        self.lines: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._done.is_set():
            for place in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.lines.add(place.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue

    def __enter__(self) -> set[str]:
        self._thread.start()
        return self.lines

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()


def test_fetch_and_push_with_the_token(
    origin: Origin, http_mirror: Mirror, identity: Identity, rules: PatchRules
) -> None:
    http_mirror.fetch()
    patch = origin.patch({"src/widgets.py": "SIZE = 2\n"})
    commit = http_mirror.commit_patch("main", patch, message="m", identity=identity, when=1, rules=rules)
    http_mirror.push(commit, "entropy/issue-1", expected=None)
    assert origin.git("rev-parse", "entropy/issue-1", at=origin.bare).decode().strip() == commit


def test_the_token_is_in_no_file_and_no_argument(http_mirror: Mirror, forge: Forge) -> None:
    encoded = forge.authorization.split()[1]
    with _Watch() as seen:
        http_mirror.fetch()
    assert any("remote-http" in line for line in seen)
    assert not [line for line in seen if TOKEN in line or encoded in line]
    for path in http_mirror.directory.parent.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes()
            assert encoded.encode() not in path.read_bytes()


def test_a_wrong_token_is_refused_without_being_shown(forge: Forge, cache: RepositorySettings) -> None:
    mirror = Mirror(cache, url=f"{forge.address}/origin.git", token=Secret("ghp_wrong-token"))
    with pytest.raises(ForgeRefused, match="see the role's token and its permissions") as caught:
        mirror.fetch()
    assert "ghp_wrong-token" not in str(caught.value)


def test_a_forge_that_repeats_the_token_does_not_get_it_into_the_sentence(
    forge: Forge, cache: RepositorySettings
) -> None:
    mirror = Mirror(cache, url=f"{forge.address}/{TOKEN}.git", token=Secret(TOKEN))
    with pytest.raises(ForgeRefused) as caught:
        mirror.fetch()
    assert "***" in str(caught.value).partition("(")[2]


def test_the_token_does_not_follow_a_redirect(http_mirror: Mirror, forge: Forge, other_forge: Forge) -> None:
    forge.redirect = other_forge.address
    with pytest.raises(ForgeRefused):
        http_mirror.fetch()
    assert other_forge.seen == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_forge_in_trouble_is_worth_another_try(http_mirror: Mirror, forge: Forge, status: int) -> None:
    forge.status = status
    with pytest.raises(ForgeUnavailable):
        http_mirror.fetch()


@pytest.mark.parametrize("status", [403, 404])
def test_a_forge_that_says_no_is_not(http_mirror: Mirror, forge: Forge, status: int) -> None:
    forge.status = status
    with pytest.raises(ForgeRefused):
        http_mirror.fetch()


def test_nobody_listening_is_worth_another_try(cache: RepositorySettings) -> None:
    with pytest.raises(ForgeUnavailable):
        Mirror(cache, url="http://127.0.0.1:1/a/b.git", token=Secret(TOKEN)).fetch()


@pytest.mark.parametrize("url", ["file:///tmp", "ssh://127.0.0.1/a/b.git", "ext::sh -c true", "git://127.0.0.1/a"])
def test_other_protocols_are_not_spoken(cache: RepositorySettings, url: str) -> None:
    with pytest.raises(ForgeRefused, match="not allowed"):
        Mirror(cache, url=url, token=None).fetch()


def test_a_push_to_a_forge_that_fails_keeps_its_name(http_mirror: Mirror, forge: Forge) -> None:
    http_mirror.fetch()
    commit = http_mirror.commit_of("main")
    forge.status = 503
    with pytest.raises(ForgeUnavailable):
        http_mirror.push(commit, "x", expected=None)


FETCH = """
import sys
from pathlib import Path
from entropy.models import Secret
from entropy.repository import Mirror
from entropy.settings import RepositorySettings
Mirror(RepositorySettings(cache=Path(sys.argv[1])), url=sys.argv[2], token=Secret(sys.argv[3])).fetch()
"""


def test_a_git_that_outlives_its_worker_still_holds_the_lock(
    http_mirror: Mirror, forge: Forge, cache: RepositorySettings
) -> None:
    forge.open.clear()
    with subprocess.Popen([sys.executable, "-c", FETCH, str(cache.cache), http_mirror.url, TOKEN]) as worker:
        assert forge.asked.wait(30)
        worker.kill()
    with http_mirror.directory.with_suffix(".lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    forge.open.set()
    http_mirror.fetch()
    assert http_mirror.commit_of("main")


def test_a_second_fetch_brings_only_what_is_new(origin: Origin, http_mirror: Mirror, forge: Forge) -> None:
    origin.commit({f"src/{number}.py": f"NUMBER = {number}\n" for number in range(50)} | {"large": os.urandom(2**20)})
    http_mirror.fetch()
    tree = tree_of(http_mirror, "main")
    before, sent = objects(http_mirror), forge.sent
    assert sent > 2**20
    origin.commit({"src/7.py": "NUMBER = 777\n"})
    http_mirror.fetch()
    assert len(tree_of(http_mirror, "main")) == len(tree)
    assert objects(http_mirror) - before == 4  # the commit, two folders and the file
    assert forge.sent - sent < 10_000


def objects(mirror: Mirror) -> int:
    """How many there are in a mirror."""
    options = ("--git-dir", str(mirror.directory), "cat-file", "--batch-all-objects", "--batch-check")
    return len(subprocess.run(["git", *options], capture_output=True, check=True).stdout.splitlines())


def test_objects_that_fail_inspection_do_not_come_in(origin: Origin, http_mirror: Mirror) -> None:
    blob = origin.git("hash-object", "-w", "--stdin", stdin=b"x").decode().strip()
    tree = origin.git("mktree", "--missing", stdin=f"100644 blob {blob}\t.GIT\n".encode()).decode().strip()
    commit = origin.git("commit-tree", tree, "-m", "x").decode().strip()
    origin.git("push", "--quiet", "origin", f"{commit}:refs/heads/evil")
    with pytest.raises(ForgeRefused, match="cannot be used"):
        http_mirror.fetch()
