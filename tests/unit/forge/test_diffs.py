"""Where a comment can stand in a patch."""

from entropy.forge.diffs import places

PATCH = """@@ -1,4 +1,5 @@ class A:
 one
-two
+zwei
+drei
 four
@@ -20,2 +21,1 @@
-gone
 last
\\ No newline at end of file"""


def test_every_line_of_every_hunk_is_a_place() -> None:
    assert sorted(places(PATCH)) == [
        ("LEFT", 1),
        ("LEFT", 2),
        ("LEFT", 3),
        ("LEFT", 20),
        ("LEFT", 21),
        ("RIGHT", 1),
        ("RIGHT", 2),
        ("RIGHT", 3),
        ("RIGHT", 4),
        ("RIGHT", 21),
    ]


def test_positions_count_from_the_first_header_on() -> None:
    found = places(PATCH)
    assert (found["RIGHT", 2].position, found["LEFT", 20].position) == (3, 7)


def test_the_hunk_ends_with_the_line() -> None:
    assert places(PATCH)["LEFT", 2].hunk == "@@ -1,4 +1,5 @@ class A:\n one\n-two"


def test_a_binary_file_has_no_places() -> None:
    assert places("") == {}
