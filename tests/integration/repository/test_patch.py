"""Patches as an agent that is wholly hostile might hand them in, judged by real git and our rules."""

from collections.abc import Callable

import pytest

from entropy.errors import PolicyViolation
from entropy.repository import Mirror
from tests.integration.repository.conftest import Origin

Commit = Callable[..., str]


def refusal(commit: Commit, patch: bytes, **bounds: object) -> str:
    with pytest.raises(PolicyViolation) as caught:
        commit(patch, **bounds)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert sentence.isprintable()
    return sentence


def new_file(path: str, content: str = "evil", mode: str = "100644") -> bytes:
    return (
        f"diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n"
        f"@@ -0,0 +1 @@\n+{content}\n\\ No newline at end of file\n"
    ).encode()


def test_an_honest_patch_becomes_a_commit_by_the_agent(origin: Origin, mirror: Mirror, commit_patch: Commit) -> None:
    patch = origin.patch({"src/widgets.py": "SIZE = 2\n", "docs/new.rst": "New\n"})
    mirror.push(commit_patch(patch), "entropy/issue-1", expected=None)
    shown = origin.git("log", "-1", "--format=%an <%ae> %cn %ai%n%B", "entropy/issue-1", at=origin.bare).decode()
    assert shown == (
        "Entropy coder <1+entropy-coder@users.noreply.example.org> Entropy coder 2026-09-21 14:13:20 +0000\n"
        "Fix the widget\n\nCloses #1\n"
    )
    assert origin.git("show", "entropy/issue-1:src/widgets.py", at=origin.bare) == b"SIZE = 2\n"


def test_the_same_inputs_give_the_same_commit(origin: Origin, commit_patch: Commit) -> None:
    patch = origin.patch({"src/widgets.py": "SIZE = 2\n"})
    assert commit_patch(patch) == commit_patch(patch)
    assert commit_patch(patch) != commit_patch(patch, when=1_790_000_001)


def test_binary_files_modes_and_deletions_pass(origin: Origin, mirror: Mirror, commit_patch: Commit) -> None:
    (origin.work / "src/widgets.py").unlink()
    (origin.work / "README.rst").chmod(0o755)
    commit = commit_patch(origin.patch({"logo.png": bytes(range(256)) * 20}))
    assert mirror.file(commit, "logo.png") == bytes(range(256)) * 20
    assert mirror.file(commit, "src/widgets.py") is None


def test_whitespace_is_kept_as_it_is(origin: Origin, mirror: Mirror, commit_patch: Commit) -> None:
    text = b"trailing  \n\n\n\tmixed \r\n  \n"
    assert mirror.file(commit_patch(origin.patch({"odd.txt": text})), "odd.txt") == text


def test_odd_modes_are_made_regular(mirror: Mirror, commit_patch: Commit) -> None:
    commit = commit_patch(new_file("tool", mode="104755"))
    mirror.push(commit, "x", expected=None)
    assert mirror.diff("main", commit).startswith("diff --git a/tool b/tool\nnew file mode 100755\n")


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_links_of_either_kind_are_refused(commit_patch: Commit, mode: str) -> None:
    content = "/etc/passwd" if mode == "120000" else "Subproject commit " + "1" * 40
    patch = new_file("link", content, mode)
    assert refusal(commit_patch, patch) == "The change touches link, but only regular files may be added or changed."


def test_a_symlink_that_was_there_is_not_redirected_but_may_go(
    origin: Origin, commit_patch: Commit, mirror: Mirror
) -> None:
    (origin.work / "link").symlink_to("README.rst")
    origin.commit({})
    mirror.fetch()
    (origin.work / "link").unlink()
    (origin.work / "link").symlink_to("/etc/shadow")
    assert "only regular files" in refusal(commit_patch, origin.patch({}))
    (origin.work / "link").unlink()
    commit_patch(origin.patch({}))


def test_nothing_is_written_through_a_symlink(origin: Origin, commit_patch: Commit, mirror: Mirror) -> None:
    (origin.work / "folder").symlink_to("/tmp")
    origin.commit({})
    mirror.fetch()
    assert "The patch does not apply" in refusal(commit_patch, new_file("folder/evil"))


@pytest.mark.parametrize(
    "path", ["../evil", "/etc/evil", "src/../../evil", ".git/config", ".GIT/config", "a/.git/hooks/x"]
)
def test_paths_that_leave_the_tree_or_enter_git(commit_patch: Commit, path: str) -> None:
    assert "The patch does not apply" in refusal(commit_patch, new_file(path))


@pytest.mark.parametrize("path", [".gitmodules", ".gitattributes", "src/.GitAttributes", "deep/GIT~1"])
def test_files_that_steer_git(commit_patch: Commit, path: str) -> None:
    sentence = refusal(commit_patch, new_file(path))
    assert path in sentence
    assert "a change may not steer git itself" in sentence or "does not apply" in sentence


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".github/Workflows/x.yml",
        ".github/actions/a/action.yml",
        ".GITHUB/actions/a",
    ],
)
def test_files_that_run_with_the_rights_of_the_repository(commit_patch: Commit, path: str) -> None:
    assert (
        refusal(commit_patch, new_file(path)) == f"The change touches {path}, but these paths are for people to change."
    )


def test_deleting_a_protected_file_is_refused_too(origin: Origin, mirror: Mirror, commit_patch: Commit) -> None:
    origin.commit({".github/workflows/ci.yml": "on: push\n"})
    mirror.fetch()
    (origin.work / ".github/workflows/ci.yml").unlink()
    assert ".github/workflows/ci.yml" in refusal(commit_patch, origin.patch({}))


@pytest.mark.parametrize("name", ["new\nline", "bell\x07", "escape\x1b[2J"])
def test_names_with_control_characters(origin: Origin, commit_patch: Commit, name: str) -> None:
    assert "file names must be printable UTF-8" in refusal(commit_patch, origin.patch({name: "x"}))


def test_names_that_are_not_text(origin: Origin, commit_patch: Commit) -> None:
    with open(bytes(origin.work) + b"/caf\xe9", "wb") as file:
        file.write(b"x")
    assert "caf\\xe9" in refusal(commit_patch, origin.patch({}))


def test_a_gitignore_and_foreign_letters_are_fine(origin: Origin, commit_patch: Commit) -> None:
    commit_patch(origin.patch({".gitignore": "build/\n", "日本/ä.txt": "x", ".github/ISSUE_TEMPLATE.md": "x"}))


def test_ten_thousand_files(commit_patch: Commit) -> None:
    patch = b"".join(new_file(f"many/{number}") for number in range(10_000))
    assert refusal(commit_patch, patch) == "The change touches 10000 files; at most 300 are allowed."


def test_outside_the_paths_of_a_recipe(origin: Origin, commit_patch: Commit) -> None:
    patch = origin.patch({"src/widgets.py": "SIZE = 2\n", "README.rst": "Other\n"})
    sentence = refusal(commit_patch, patch, paths=("src/**/*.py", "tests/**"))
    assert sentence == "The change touches README.rst, but only src/**/*.py, tests/** may be changed here."


def test_a_rename_counts_at_both_ends(origin: Origin, commit_patch: Commit) -> None:
    origin.git("mv", "README.rst", "src/README.rst")
    patch = origin.git("diff", "--cached", "--find-renames")
    assert b"rename from" in patch
    assert "README.rst" in refusal(commit_patch, patch, paths=("src/**",))


@pytest.mark.parametrize("patch", [b"", b"\n \n"])
def test_an_empty_patch(commit_patch: Commit, patch: bytes) -> None:
    assert refusal(commit_patch, patch) == "The patch is empty, so there is nothing to publish."


@pytest.mark.parametrize("patch", [b"nonsense\n", b"diff --git a/x b/x\n", b"\0\xff\x1b[31m"])
def test_what_is_no_patch(commit_patch: Commit, patch: bytes) -> None:
    assert "The patch does not apply" in refusal(commit_patch, patch)


def test_a_patch_for_another_base(origin: Origin, commit_patch: Commit, mirror: Mirror) -> None:
    patch = origin.patch({"src/widgets.py": "SIZE = 2\n"})
    origin.commit({"src/widgets.py": "SIZE = 3\n"})
    mirror.fetch()
    assert "src/widgets.py" in refusal(commit_patch, patch)


def test_a_refused_patch_leaves_no_commit_and_no_index(commit_patch: Commit, mirror: Mirror) -> None:
    refusal(commit_patch, new_file(".github/workflows/a.yml"))
    assert not list(mirror.directory.glob("index*"))
    assert sorted(path.name for path in (mirror.directory / "refs/heads").iterdir()) == ["main"]
