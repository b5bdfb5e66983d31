import pytest

from entropy.errors import PolicyViolation
from entropy.repository.patch import PatchRules, Touched, inspect, touched

RULES = PatchRules(max_files=3)


def refusal(*changes: Touched, rules: PatchRules = RULES) -> str:
    with pytest.raises(PolicyViolation) as caught:
        inspect(list(changes), rules)
    return str(caught.value)


def test_the_listing_of_git_is_read() -> None:
    listing = b":100644 120000 aaaa bbbb T\0a\nb\0:100644 000000 aaaa 0000 D\0gone\0"
    assert touched(listing) == [Touched(b"a\nb", "120000"), Touched(b"gone", "000000")]
    assert touched(b"") == []


def test_regular_files_and_deletions_pass() -> None:
    inspect([Touched(b"a", "100644"), Touched(b"b", "100755"), Touched(b"c", "000000")], RULES)


@pytest.mark.parametrize("mode", ["120000", "160000", "040000"])
def test_other_kinds_do_not(mode: str) -> None:
    assert refusal(Touched(b"x", mode)) == "The change touches x, but only regular files may be added or changed."


def test_bytes_that_are_no_text_are_shown_escaped() -> None:
    assert refusal(Touched(b"a\xff", "100644")) == "The change touches a\\xff, but file names must be printable UTF-8."


def test_the_sentence_names_a_few_paths_and_counts_the_rest() -> None:
    many = [Touched(f"f{number}".encode(), "100644") for number in range(5)]
    rules = PatchRules(max_files=9, paths=("src/**", "docs/*"))
    assert (
        refusal(*many, rules=rules)
        == "The change touches f0, f1, f2 and 2 more, but only src/**, docs/* may be changed here."
    )


def test_too_many_files() -> None:
    many = [Touched(f"f{number}".encode(), "100644") for number in range(4)]
    assert refusal(*many) == "The change touches 4 files; at most 3 are allowed."


def test_nothing_changed_is_said_as_such() -> None:
    assert refusal() == "The patch changes nothing, so there is nothing to publish."
