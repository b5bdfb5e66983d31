"""Refs, branches, commits and files, over REST and over git."""

import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from github import GithubException
from github.Repository import Repository

from tests.integration.forge.conftest import NAME, Git, Village


def test_of_twenty_racers_one_creates_the_ref(village: Village, writer: Repository) -> None:
    sha = writer.get_branch("main").commit.sha
    url = f"{village.server.api}/repos/{NAME}/git/refs"
    headers = {"Authorization": f"Bearer {village.tokens['write']}"}

    def race(_: int) -> tuple[int, str]:
        body = {"ref": "refs/entropy/claims/1", "sha": sha}
        answer = requests.post(url, json=body, headers=headers, timeout=60)
        return answer.status_code, answer.json().get("message", "")

    with ThreadPoolExecutor(20) as pool:
        answers = sorted(pool.map(race, range(20)))
    assert answers == [(201, "")] + [(422, "Reference already exists")] * 19


def test_refs_move_forward_only_unless_forced(writer: Repository, change: Callable[..., str]) -> None:
    first, other = change("one"), change("two", content="def thrust():\n    return 3\n")
    old = writer.get_branch("main").commit.sha
    ref = writer.create_git_ref("refs/heads/lease", old)
    assert writer.get_git_ref("heads/lease").object.sha == old
    ref.edit(first)
    with pytest.raises(GithubException, match="not a fast forward"):
        ref.edit(other)
    ref.edit(other, force=True)
    assert writer.get_git_ref("heads/lease").object.sha == other
    assert [found.ref for found in writer.get_git_matching_refs("heads/l")] == ["refs/heads/lease"]
    ref.delete()
    with pytest.raises(GithubException) as gone:
        writer.get_git_ref("heads/lease")
    assert gone.value.status == 404


@pytest.mark.parametrize(
    ("ref", "sha"),
    [
        ("heads/x", None),
        ("refs/x", None),
        ("refs/heads/../x", None),
        ("refs/heads/x.lock", None),
        ("refs/heads/a b", None),
        ("refs/pull/1/head", None),
        ("refs/heads/main/below", None),
        ("refs/heads/x", "1" * 40),
        ("refs/heads/x", "main"),
    ],
)
def test_bad_refs_are_refused(writer: Repository, ref: str, sha: str | None) -> None:
    with pytest.raises(GithubException) as refusal:
        writer.create_git_ref(ref, sha or writer.get_branch("main").commit.sha)
    assert refusal.value.status == 422


def test_a_push_moves_the_head_of_its_pull_request(
    village: Village, writer: Repository, change: Callable[..., str], clone: Path, git: Git
) -> None:
    change("topic")
    pull = writer.create_pull(base="main", head="topic", title="T", body="")
    head = change("topic", content="def thrust():\n    return 9\n")
    assert [found.head.sha for found in writer.get_pulls()] == [head], "a list shows what the push has recorded"
    assert writer.get_pull(pull.number).head.sha == head
    assert git("ls-remote", village.remote("write"), f"refs/pull/{pull.number}/head", cwd=clone).split()[0] == head


def test_a_head_that_moved_unseen_is_seen_at_the_next_look(
    village: Village, writer: Repository, change: Callable[..., str]
) -> None:
    old, new = change("topic"), change("other", content="def thrust():\n    return 3\n")
    pull = writer.create_pull(base="main", head="topic", title="T", body="")
    with village.server.store.read() as db:
        git = village.server.store.git(db.execute("SELECT * FROM repositories").fetchone())
    assert git.update_ref("refs/heads/topic", new=new, old=old)
    assert writer.get_pull(pull.number).head.sha == new
    with pytest.raises(GithubException) as stale:
        pull.merge(sha=old)
    assert stale.value.status == 409


def test_pull_refs_are_read_only(village: Village, writer: Repository, change: Callable[..., str], clone: Path) -> None:
    head = change("topic")
    writer.create_pull(base="main", head="topic", title="T", body="")
    with pytest.raises(GithubException, match="read-only"):
        writer.get_git_ref("pull/1/head").edit(head)


def test_branches_commits_compare_and_contents(writer: Repository, change: Callable[..., str]) -> None:
    head = change("a/b", path="räket #1%.txt", content="zisch\n")
    assert sorted(branch.name for branch in writer.get_branches()) == ["a/b", "main"]
    assert writer.get_branch("a/b").commit.sha == head
    assert next(iter(writer.get_commits(sha="a/b"))).sha == head
    assert writer.get_commit(head).files[0].filename == "räket #1%.txt"
    found = writer.compare("main", "a/b")
    assert (found.status, found.ahead_by, found.behind_by, found.files[0].additions) == ("ahead", 1, 0, 1)
    one = writer.get_contents("räket #1%.txt", ref="a/b")
    assert not isinstance(one, list)
    assert one.decoded_content == b"zisch\n"
    assert requests.get(one.url, timeout=30).json()["sha"] == one.sha
    every = writer.get_contents("", ref="a/b")
    assert isinstance(every, list)
    assert sorted(entry.name for entry in every) == ["README.md", "engine.py", "räket #1%.txt"]
    with pytest.raises(GithubException) as missing:
        writer.get_contents("nothing.txt")
    assert missing.value.status == 404


def test_a_raw_file_is_its_bytes(village: Village) -> None:
    answer = requests.get(
        f"{village.server.api}/repos/{NAME}/contents/README.md",
        headers={"Accept": "application/vnd.github.raw+json"},
        timeout=30,
    )
    assert answer.content == b"# Rocket\n\nGoes up.\n"


def test_git_speaks_protocol_two_and_packs_its_requests(village: Village) -> None:
    base = f"{village.server.url}/{NAME}.git"
    head = requests.get(f"{base}/info/refs?service=git-upload-pack", headers={"Git-Protocol": "version=2"}, timeout=30)
    assert b"version 2" in head.content
    asked = b"0014command=ls-refs\n0000"
    answer = requests.post(
        f"{base}/git-upload-pack",
        data=gzip.compress(asked),
        headers={
            "Git-Protocol": "version=2",
            "Content-Encoding": "gzip",
            "Content-Type": "application/x-git-upload-pack-request",
        },
        timeout=30,
    )
    assert answer.status_code == 200
    assert b"refs/heads/main" in answer.content


def test_a_large_push_arrives_whole(village: Village, clone: Path, git: Git, writer: Repository) -> None:
    """Larger than git's post buffer, so that it comes in chunks of unknown length."""
    content = bytes((number * 7919 + number // 251) % 256 for number in range(3_000_000))
    (clone / "big.bin").write_bytes(content)
    git("add", ".", cwd=clone)
    git("commit", "--quiet", "-m", "Big", cwd=clone)
    git("-c", "http.postBuffer=65536", "-c", "core.compression=0", "push", "--quiet", "origin", "HEAD:big", cwd=clone)
    assert writer.get_branch("big").commit.sha == git("rev-parse", "HEAD", cwd=clone)
    git("clone", "--quiet", "--branch", "big", village.remote("read"), "again", cwd=clone.parent)
    assert (clone.parent / "again" / "big.bin").read_bytes() == content
