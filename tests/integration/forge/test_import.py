"""What can become a repository of the forge, and what is left of what cannot: nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.forge.gitrepo import GitRepository
from entropy.forge.records import repositories
from entropy.forge.store import Store, StoreError
from tests.integration.forge.conftest import NAME, Git, Village


def _files(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "repositories").iterdir())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "forge") as store:
        yield store


def _git(store: Store, name: str) -> GitRepository:
    with store.read() as db:
        found = repositories.named(db, name)
    assert found
    return store.git(found)


def test_a_repository_keeps_its_branches_and_tags(store: Store, source: Path, git: Git) -> None:
    git("branch", "next", cwd=source)
    git("tag", "v1", cwd=source)
    head = git("rev-parse", "HEAD", cwd=source)
    assert store.import_repository(source, NAME) == "main"
    assert dict(_git(store, NAME).refs("refs/")) == dict.fromkeys(
        ("refs/heads/main", "refs/heads/next", "refs/tags/v1"), head
    )


def test_a_detached_head_gets_a_branch(store: Store, source: Path, git: Git) -> None:
    git("checkout", "--quiet", "--detach", cwd=source)
    git("branch", "--quiet", "-m", "main", "trunk", cwd=source)
    assert store.import_repository(source, NAME) == "trunk"


def test_a_folder_becomes_one_commit(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "lib-1.0"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "lib.py").write_bytes(b"x = 1\r\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "kept.log").write_text("a release may hold what its authors ignore\n")
    (folder / "link").symlink_to("src/lib.py")
    assert store.import_repository(folder, NAME) == "main"
    git = _git(store, NAME)
    found = git.run("ls-tree", "-r", "main").decode()
    modes = {line.split("\t")[1]: line.split()[0] for line in found.splitlines()}
    assert modes == {
        ".gitignore": "100644",
        "kept.log": "100644",
        "link": "120000",
        "run.sh": "100755",
        "src/lib.py": "100644",
    }
    assert git.run("show", "main:src/lib.py") == b"x = 1\r\n"
    assert git.count("main") == 1
    assert not (folder / ".git").exists()


@pytest.mark.parametrize("kind", ["empty folder", "empty repository", "broken repository", "text file", "missing"])
def test_what_cannot_be_imported_leaves_nothing(store: Store, tmp_path: Path, git: Git, kind: str) -> None:
    path = tmp_path / "bad"
    if kind not in {"missing", "text file"}:
        path.mkdir()
    if kind == "empty repository":
        git("init", "--quiet", cwd=path)
    if kind == "broken repository":
        (path / ".git").write_text("gitdir: nowhere\n")
    if kind == "text file":
        path.write_text("hello\n")
    with pytest.raises(StoreError, match="bad"):
        store.import_repository(path, NAME)
    assert _files(store.data) == []
    with store.read() as db:
        assert db.execute("SELECT count(*) FROM users").fetchone()[0] == 0


@pytest.mark.parametrize("name", ["rocket", "a/b/c", "a/..", "/b", "a/", "a b/c", "a/b.git", "-a/b"])
def test_a_bad_name_is_refused(store: Store, source: Path, name: str) -> None:
    with pytest.raises(StoreError, match="owner/name"):
        store.import_repository(source, name)
    assert _files(store.data) == []


def test_a_name_is_taken_once(store: Store, source: Path) -> None:
    store.import_repository(source, NAME)
    before = _files(store.data)
    with pytest.raises(StoreError, match="here already"):
        store.import_repository(source, NAME.upper())
    assert _files(store.data) == before


def test_an_import_does_not_run_what_the_source_brings(store: Store, source: Path, git: Git, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-commit"):
        (source / ".git" / "hooks").mkdir(exist_ok=True)
        (source / ".git" / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {trap}\n")
        (source / ".git" / "hooks" / hook).chmod(0o755)
    git("config", "core.fsmonitor", f"touch {trap}", cwd=source)
    git("config", "uploadpack.packObjectsHook", f"touch {trap}", cwd=source)
    store.import_repository(source, NAME)
    assert not trap.exists()


def test_a_running_forge_sees_what_another_store_adds(village: Village, source: Path) -> None:
    with Store(village.server.data) as other:
        other.import_repository(source, "acme/second")
        village.tokens["late"] = other.enrol("late", name="Late Comer", full_name="acme/second", permission="write")
    with village.client("late") as client:
        assert client.get_repo("acme/second").permissions.push
        assert client.get_user().name == "Late Comer"


@pytest.mark.parametrize(
    ("login", "repository", "permission"),
    [("a b", NAME, "read"), ("ada", "acme/gone", "read"), ("ada", NAME, "root"), ("ada", NAME, "none")],
)
def test_a_user_is_enrolled_wholly_or_not_at_all(
    store: Store, source: Path, login: str, repository: str, permission: str
) -> None:
    store.import_repository(source, NAME)
    with pytest.raises(StoreError):
        store.enrol(login, name=None, full_name=repository, permission=permission)
    with store.read() as db:
        assert [row["login"] for row in db.execute("SELECT login FROM users")] == ["acme"]
        assert db.execute("SELECT count(*) FROM tokens").fetchone()[0] == 0


def test_tokens_are_not_stored_as_they_are(store: Store) -> None:
    token = store.add_user("ada")
    assert token.encode() not in b"".join(path.read_bytes() for path in store.data.glob("forge.db*"))


def test_an_owner_who_enrols_is_a_person_and_may_do_everything(village: Village) -> None:
    village.tokens["acme"] = village.server.store.add_user("acme")
    with village.client("acme") as client:
        assert (client.get_user().type, client.get_repo(NAME).permissions.admin) == ("User", True)
