"""Which names the forge takes."""

import pytest

from entropy.forge.names import is_login, is_ref, is_repository, is_sha
from entropy.forge.records.issues import CLOSING


@pytest.mark.parametrize("name", ["main", "entropy/issue-1", "refs/heads/a", "größe", "v1.0", "a@b", "feature#1"])
def test_refs(name: str) -> None:
    assert is_ref(name)


@pytest.mark.parametrize(
    "name",
    ["", "-x", "a..b", "a b", "a\nb", "a\0", "a:b", "a^", "a~1", "x.lock", "x.lock/y", "/a", "a/", "a//b", ".a",
     "a/.b", "@", "a@{1}", "a.", "a*", "x" * 300],
)  # fmt: skip
def test_no_refs(name: str) -> None:
    assert not is_ref(name)


@pytest.mark.parametrize(
    ("name", "good"), [("ada", True), ("dependabot[bot]", True), ("a-b", True), ("-a", False), ("a/b", False)]
)
def test_logins(name: str, good: bool) -> None:
    assert is_login(name) is good


@pytest.mark.parametrize(
    ("name", "good"), [("a.b_c-d", True), ("..", False), ("a.git", False), ("a/b", False), ("", False)]
)
def test_repositories(name: str, good: bool) -> None:
    assert is_repository(name) is good


def test_shas_are_whole() -> None:
    assert is_sha("a" * 40)
    assert not is_sha("a" * 39)
    assert not is_sha("A" * 40)
    assert not is_sha("a" * 40 + "\n")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Closes #1", [("", "1")]),
        ("fixes: #2 and resolved acme/rocket#3", [("", "2"), ("acme/rocket", "3")]),
        ("See #4, encloses #5", []),
        ("Fixed #6x", []),
    ],
)
def test_closing_words(text: str, found: list[tuple[str, str]]) -> None:
    assert CLOSING.findall(text) == found
