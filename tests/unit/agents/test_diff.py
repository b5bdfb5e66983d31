"""Reading diffs, as git writes them and as a hostile repository would like them to be read."""

import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from entropy.agents.diff import TouchedFile, changed_files

DIFF = """\
diff --git a/src/basket.py b/src/basket.py
index 1234567..89abcde 100644
--- a/src/basket.py
+++ b/src/basket.py
@@ -1,4 +1,5 @@ def total(prices):
 def total(prices):
-    return prices[0]
+    if not prices:
+        return 0
     # end
 z = 0
@@ -10 +11 @@
-x = 1
+x = 2
diff --git a/old.py b/old.py
deleted file mode 100644
index 1234567..0000000
--- a/old.py
+++ /dev/null
@@ -1,2 +0,0 @@
-a
-b
diff --git a/logo.png b/logo.png
new file mode 100644
index 0000000..1234567
Binary files /dev/null and b/logo.png differ
diff --git a/moved.py b/new/moved.py
similarity index 100%
rename from moved.py
rename to new/moved.py
"""


def test_numbers_are_those_of_the_new_side() -> None:
    assert changed_files(DIFF) == (TouchedFile("src/basket.py", added=(2, 3, 11), shown=(1, 2, 3, 4, 5, 11)),)


def test_a_diff_without_content_changes_no_file() -> None:
    assert changed_files("") == ()


def test_content_that_looks_like_a_header_is_content() -> None:
    diff = (
        "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,3 @@\n"
        "--- a/x\n+++ b/etc/passwd\n+@@ -1 +1,9 @@\n diff --git a/y b/y\n"
    )
    assert changed_files(diff) == (TouchedFile("a", added=(1, 2), shown=(1, 2, 3)),)


@pytest.mark.parametrize(
    ("header", "path"),
    [
        ("+++ b/plain.py", "plain.py"),
        ("+++ b/two words.py\t", "two words.py"),
        ('+++ "b/caf\\303\\251.py"', "café.py"),
        ('+++ "b/tab\\there \\"quoted\\" back\\\\slash"', 'tab\there "quoted" back\\slash'),
        ("+++ b/b/twice.py", "b/twice.py"),
    ],
)
def test_paths_as_git_writes_them(header: str, path: str) -> None:
    assert changed_files(f"diff --git x y\n--- x\n{header}\n@@ -0,0 +1 @@\n+1\n")[0].path == path


@pytest.mark.parametrize("cut", range(0, len(DIFF), 7))
def test_a_diff_that_was_cut_is_read_as_far_as_it_goes(cut: int) -> None:
    for file in changed_files(DIFF[:cut]):
        assert set(file.added) <= {2, 3, 11}


@pytest.mark.parametrize(
    ("path", "is_test"),
    [
        ("tests/data.py", True),
        ("src/widgets/test_basket.py", True),
        ("pkg/basket_test.go", True),
        ("web/basket.spec.ts", True),
        ("conftest.py", True),
        ("src/testament.py", False),
        ("src/contest.py", False),
        ("tests", False),
    ],
)
def test_which_files_are_tests(path: str, is_test: bool) -> None:
    assert TouchedFile(path, (), ()).is_test is is_test


LINES = st.lists(st.text(alphabet=" +-@\\\t\r\f" + string.ascii_letters[:4], max_size=5), max_size=12)


@given(before=LINES, after=LINES)
@settings(deadline=None, max_examples=25)
def test_shown_lines_are_the_lines_that_git_shows(
    before: list[str], after: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Against git itself: every added line stands in the new file where the diff says so."""
    folder = tmp_path_factory.mktemp("diff")
    old, new = folder / "old", folder / "new"
    _write(old, before)
    _write(new, after)
    diff = subprocess.run(
        ["git", "diff", "--no-index", "--no-color", old.name, new.name], cwd=folder, capture_output=True, check=False
    ).stdout.decode()
    content = new.read_bytes().decode().split("\n")
    added = [line[1:] for line in diff.split("\n")[4:] if line.startswith("+")]
    numbers = [number for file in changed_files(diff) for number in file.added]
    assert [content[number - 1] for number in numbers] == added


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), newline="")
