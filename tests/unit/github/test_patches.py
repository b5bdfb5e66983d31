from entropy.github.patches import shown_lines, split
from entropy.models import Finding

PATCH = """@@ -1,4 +1,5 @@ def area(width, height):
 one
-two
+two, changed
+three
 four
@@ -20 +21,2 @@
 twenty-one
+twenty-two
\\ No newline at end of file"""


def test_the_lines_of_the_new_side_are_those_of_the_hunks() -> None:
    assert shown_lines([{"filename": "a.py", "patch": PATCH}]) == {"a.py": {1, 2, 3, 4, 21, 22}}


def test_a_file_without_a_patch_shows_nothing() -> None:
    assert shown_lines([{"filename": "logo.png"}, {"filename": "big.txt", "patch": None}]) == {
        "logo.png": frozenset(),
        "big.txt": frozenset(),
    }


def test_findings_at_lines_that_are_not_shown_are_told_apart() -> None:
    shown = shown_lines([{"filename": "a.py", "patch": PATCH}])
    findings = tuple(
        Finding(path=path, line=line, message="m") for path, line in [("a.py", 2), ("a.py", 5), ("b.py", 2)]
    )
    assert split(findings, shown) == (findings[:1], findings[1:])
