import pytest

from entropy.repository.paths import FORBIDDEN, is_gits_own, is_printable, is_protected, matches
from entropy.settings import RepositorySettings

PROTECTED = RepositorySettings().protected


@pytest.mark.parametrize(
    ("path", "glob"),
    [
        ("src/a.py", "src/**/*.py"),
        ("src/deep/er/a.py", "src/**/*.py"),
        ("src/deep/a.txt", "src/**"),
        ("anything/at/all", "**"),
        ("README.rst", "README.*"),
        ("a/b/c/d", "a/**/**/d"),
        ("src/a1.py", "src/a[0-9].py"),
    ],
)
def test_a_glob_covers(path: str, glob: str) -> None:
    assert matches(path, [glob])


@pytest.mark.parametrize(
    ("path", "glob"),
    [
        ("src/deep/a.py", "src/*.py"),
        ("src", "src/**"),
        ("lib/src/a.py", "src/**"),
        ("src/a.pyc", "src/**/*.py"),
        ("src/A.py", "src/a.py"),
        ("a.py", "src/**"),
        ("anything", ""),
    ],
)
def test_a_glob_leaves_out(path: str, glob: str) -> None:
    assert not matches(path, [glob])


def test_no_globs_cover_nothing() -> None:
    assert not matches("a", [])


def test_many_crossings_over_a_deep_path_are_quick() -> None:
    assert not matches("/".join(["a"] * 200), ["**/a/" * 20 + "b"])


@pytest.mark.parametrize(
    "path",
    [
        ".git",
        ".git/config",
        "a/.GIT/hooks/pre-commit",
        ".gitmodules",
        "deep/.GitAttributes",
        ".gitconfig",
        "GIT~1/config",
        ".git./config",
        ".git /config",
        ".git::$INDEX_ALLOCATION/config",
        "a\\.git\\config",
        "\uff0egit/config",
        ".g\u034fit/config",
        ".\uff47\uff49\uff54modules",
        ".git\ufe0f",
        "gitmod~1",
        "GITATT~4",
        "gi7eba~1",
        "a/gi7d2~12",
    ],
)
def test_names_that_steer_git(path: str) -> None:
    assert is_gits_own(path)


@pytest.mark.parametrize(
    "path", [".gitignore", ".gitkeep", ".github/dependabot.yml", "git/config", "a.git/b", "digit~1", "gitmodern~1"]
)
def test_names_that_only_look_like_it(path: str) -> None:
    assert not is_gits_own(path)


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yml",
        ".GITHUB/Workflows/x/y.yml",
        ".GitHub./workflows /x.yml",
        ".github\\workflows\\x.yml",
        "\uff0egithub/workflows/x.yml",
        ".gi\u200cthub/workflows/x.yml",
        ".gi\u034fthub/wor\u212aflows/x.yml",
        ".github/work\ufb02ows/x.yml",
    ],
)
def test_forbidden_paths(path: str) -> None:
    assert is_protected(path, FORBIDDEN)


@pytest.mark.parametrize(
    "path",
    [
        ".Entropy.toml",
        "docs/CODEOWNERS",
        ".GitHub/codeowners",
        "AGENTS.md",
        "deep/er/agents.MD",
        "deep/Claude.md",
        ".cursor/rules/a.mdc",
        ".cursorrules",
        ".github/copilot-instructions.md",
        "\uff21GENTS.md",
        "AGENTS\u3164.md",
        "CODEOWNER\u017f",
    ],
)
def test_protected_paths(path: str) -> None:
    assert is_protected(path, PROTECTED)


@pytest.mark.parametrize("path", [".github/ISSUE_TEMPLATE/bug.md", "docs/.entropy.toml.example", "src/CODEOWNERS"])
def test_paths_that_are_not_protected(path: str) -> None:
    assert not is_protected(path, PROTECTED + FORBIDDEN)


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "evil\u202etxt.exe", ".g\u200cit", "a\u2028b", "tab\t"])
def test_names_that_hide_something(name: str) -> None:
    assert not is_printable(name)


def test_names_of_the_world_are_fine() -> None:
    assert is_printable("päckchen/日本語 файл.txt")
