"""What the mirror reads: refs, files, diffs and snapshots, also where a repository would rather decide that itself."""

import io
import subprocess
import sys
import tarfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from entropy.errors import ConfigurationError, ForgeRefused, IllegalStep, PolicyViolation
from entropy.repository import Mirror
from entropy.settings import RepositorySettings
from tests.integration.repository.conftest import Origin, tree_of

HOSTILE = """\
README.rst export-ignore
src/** export-ignore
id.txt export-subst ident
crlf.txt text eol=crlf
[attr]hidden export-ignore
secret.txt hidden
"""


def unpacked(tar: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {
            member.name: content.read() if (content := archive.extractfile(member)) else b""
            for member in archive.getmembers()
            if member.isreg()
        }


def test_branches_full_refs_and_commit_ids_are_found(origin: Origin, mirror: Mirror) -> None:
    head = origin.git("rev-parse", "HEAD").decode().strip()
    origin.git("update-ref", "refs/pull/7/head", head, at=origin.bare)
    mirror.fetch()
    assert mirror.commit_of("main") == mirror.commit_of(head) == mirror.commit_of("refs/pull/7/head") == head


@pytest.mark.parametrize("ref", ["gone", "refs/pull/9/head", "0" * 40, "-h", "main tag"])
def test_what_is_not_there_is_refused(mirror: Mirror, ref: str) -> None:
    with pytest.raises(ForgeRefused, match="see whether it was renamed or deleted"):
        mirror.commit_of(ref)


def test_the_tip_of_a_branch_is_its_commit_or_nothing(origin: Origin, mirror: Mirror) -> None:
    head = origin.commit({"a": "1"}, branch="entropy/issue-1")
    assert mirror.tip_of("entropy/issue-1") is None
    mirror.fetch()
    assert mirror.tip_of("entropy/issue-1") == head


def test_a_tag_does_not_stand_in_for_a_branch(origin: Origin, mirror: Mirror) -> None:
    origin.git("tag", "gone")
    origin.git("push", "--quiet", "origin", "gone")
    mirror.fetch()
    with pytest.raises(ForgeRefused):
        mirror.commit_of("gone")


def test_a_fetch_follows_forced_and_deleted_branches(origin: Origin, mirror: Mirror) -> None:
    origin.commit({"a": "1"}, branch="topic")
    mirror.fetch()
    origin.git("reset", "--quiet", "--hard", "HEAD~1")
    forced = origin.commit({"a": "2"}, branch="other")
    origin.git("push", "--quiet", "--force", "origin", "HEAD:main", ":topic")
    mirror.fetch()
    assert mirror.commit_of("main") == forced
    with pytest.raises(ForgeRefused):
        mirror.commit_of("topic")


def test_before_the_first_fetch_it_says_so(origin: Origin, cache: RepositorySettings) -> None:
    mirror = Mirror(cache, url=f"file://{origin.bare}", token=None, protocols=("file",))
    with pytest.raises(IllegalStep, match="fetch it first"):
        mirror.commit_of("main")


def test_the_snapshot_has_every_tracked_file_as_committed(origin: Origin, mirror: Mirror) -> None:
    files: dict[str, str | bytes] = {
        ".gitattributes": HOSTILE,
        "id.txt": "$Format:%H$ $Id$\n",
        "crlf.txt": "a\nb\n",
        "secret.txt": "here\n",
        "utf.txt": b"\0d\0d",
    }
    origin.commit(files)
    origin.write({".gitattributes": HOSTILE + "utf.txt working-tree-encoding=UTF-16BE\n"})
    commit = origin.commit({})
    mirror.fetch()
    tree = unpacked(tree_of(mirror, commit))
    listed = origin.git("ls-tree", "-r", "--name-only", "HEAD").decode().split()
    assert sorted(tree) == sorted(listed)
    for name in listed:
        assert tree[name] == origin.git("cat-file", "blob", f"HEAD:{name}")


def test_a_filter_named_by_the_tree_does_not_run(origin: Origin, mirror: Mirror, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    origin.commit({".gitattributes": "* filter=x diff=x\n", "a.txt": "a\n"})
    mirror.fetch()
    for key in ("filter.x.smudge", "filter.x.clean", "diff.x.textconv", "diff.x.command"):
        origin.git("config", "--file", str(mirror.directory / "config"), key, f"touch {ran}; cat")
    assert unpacked(tree_of(mirror, "main"))["a.txt"] == b"a\n"
    assert "+a\n" in mirror.diff(first_commit(origin), "main")
    assert not ran.exists()


def first_commit(origin: Origin) -> str:
    return origin.git("rev-list", "--max-parents=0", "HEAD").decode().strip()


def test_a_submodule_is_an_empty_folder(origin: Origin, mirror: Mirror) -> None:
    origin.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendored")
    origin.git("commit", "--quiet", "--message", "A submodule")
    origin.git("push", "--quiet", "origin", "main")
    mirror.fetch()
    with tarfile.open(fileobj=io.BytesIO(tree_of(mirror, "main"))) as archive:
        assert archive.getmember("vendored").isdir()


def test_the_same_commit_gives_the_same_snapshot(mirror: Mirror) -> None:
    assert tree_of(mirror, "main") == tree_of(mirror, "main")


def test_a_repository_that_is_too_large_is_refused(origin: Origin, tmp_path: Path) -> None:
    origin.commit({"big.bin": bytes(2 * 2**20)})
    small = RepositorySettings(cache=tmp_path / "cache", snapshot_mib=1)
    mirror = Mirror(small, url=f"file://{origin.bare}", token=None, protocols=("file",))
    mirror.fetch()
    with pytest.raises(PolicyViolation, match="more than 1 MiB; raise ENTROPY_REPOSITORY__SNAPSHOT_MIB"):
        tree_of(mirror, "main")


def test_files_are_read_and_nothing_else_is(origin: Origin, mirror: Mirror) -> None:
    (origin.work / "link").symlink_to("README.rst")
    commit = origin.commit({"[a]*": "odd\n"})
    mirror.fetch()
    assert mirror.file(commit, "src/widgets.py") == b"SIZE = 1\n"
    assert mirror.file(commit, "[a]*") == b"odd\n"
    for name in ("missing", "src", "src/", ".", "link", ":(top)README.rst", "*"):
        assert mirror.file(commit, name) is None


def test_a_huge_file_is_refused(origin: Origin, mirror: Mirror) -> None:
    origin.commit({"big": bytes(5 * 2**20)})
    mirror.fetch()
    with pytest.raises(PolicyViolation, match="larger than 4 MiB"):
        mirror.file("main", "big")


def test_a_diff_is_what_the_head_adds_since_it_left_the_base(origin: Origin, mirror: Mirror) -> None:
    origin.git("checkout", "--quiet", "-b", "topic")
    origin.commit({"topic.txt": b"caf\xe9\n"}, branch="topic")
    origin.git("checkout", "--quiet", "main")
    origin.commit({"main.txt": "x\n"})
    mirror.fetch()
    diff = mirror.diff("main", "topic")
    assert "+caf\N{REPLACEMENT CHARACTER}\n" in diff
    assert "main.txt" not in diff


def test_a_long_diff_is_cut_at_a_line_and_says_so(origin: Origin, mirror: Mirror) -> None:
    base = mirror.commit_of("main")
    origin.commit({"long.txt": "0123456789\n" * 200_000})
    mirror.fetch()
    *lines, last = mirror.diff(base, "main").splitlines()
    assert last == "[cut: the diff is larger than 1 MiB]"
    assert lines[-1] == "+0123456789"


def test_commits_without_a_common_ancestor_cannot_be_compared(origin: Origin, mirror: Mirror) -> None:
    tree = origin.git("write-tree").decode().strip()
    orphan = origin.git("commit-tree", tree, "-m", "Alone").decode().strip()
    origin.git("push", "--quiet", "origin", f"{orphan}:refs/heads/alone")
    mirror.fetch()
    with pytest.raises(ForgeRefused, match="cannot be compared"):
        mirror.diff("main", "alone")


def test_the_cache_is_for_its_owner_only(mirror: Mirror) -> None:
    assert [path.stat().st_mode & 0o777 for path in (mirror.directory.parent, mirror.directory)] == [0o700, 0o700]


def test_two_addresses_that_look_alike_have_two_mirrors(cache: RepositorySettings) -> None:
    one, other = (Mirror(cache, url=f"https://forge.example/{name}.git", token=None) for name in ("a/b_c", "a_b/c"))
    assert one.directory != other.directory


def test_a_credential_in_the_address_is_refused(cache: RepositorySettings) -> None:
    with pytest.raises(ConfigurationError, match="holds a credential") as caught:
        Mirror(cache, url="https://ada:hunter2@forge.example/a/b.git", token=None)
    assert "hunter2" not in str(caught.value)


def test_a_clone_that_was_cut_off_is_made_again(origin: Origin, cache: RepositorySettings) -> None:
    mirror = Mirror(cache, url=f"file://{origin.bare}", token=None, protocols=("file",))
    half = mirror.directory.with_suffix(".new")
    half.mkdir(parents=True)
    (half / "HEAD").write_text("half")
    mirror.fetch()
    assert mirror.commit_of("main")
    assert not half.exists()


def test_the_locks_of_a_killed_fetch_do_not_stop_the_next(origin: Origin, mirror: Mirror) -> None:
    head = origin.commit({"a": "1"})
    for name in ("packed-refs.lock", "HEAD.lock", "refs/heads/main.lock"):
        (mirror.directory / name).touch()
    mirror.fetch()
    assert mirror.commit_of("main") == head


FETCH = """
import sys
from pathlib import Path
from entropy.repository import Mirror
from entropy.settings import RepositorySettings
mirror = Mirror(RepositorySettings(cache=Path(sys.argv[1])), url=sys.argv[2], token=None, protocols=("file",))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(3):
    mirror.fetch()
print(mirror.commit_of("main"))
"""


def test_processes_fetch_one_mirror_at_once(origin: Origin, cache: RepositorySettings) -> None:
    argv = [sys.executable, "-c", FETCH, str(cache.cache), f"file://{origin.bare}"]
    with ExitStack() as stack:
        fetching = [
            stack.enter_context(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)) for _ in range(6)
        ]
        for process in fetching:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
        for process in fetching:
            assert process.stdin
            process.stdin.write(b"go\n")
            process.stdin.flush()
        answers = {process.communicate(timeout=60)[0].decode().strip() for process in fetching}
        assert {process.returncode for process in fetching} == {0}
    assert answers == {origin.git("rev-parse", "HEAD").decode().strip()}
