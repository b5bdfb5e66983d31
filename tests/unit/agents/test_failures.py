"""Reading what test commands print: real reports of pytest and unittest, and output that wants to harm."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entropy.agents.evidence import clean
from entropy.agents.failures import Failure, Frame, read_failures

SOURCE = """\
def total(prices):
    return prices[0]
"""
TESTS = """\
import unittest
import warnings

from basket import total


class TestTotal(unittest.TestCase):
    def test_empty(self):
        print("elsewhere.py:1: not a frame")
        warnings.warn("nor this")
        total([])

    def test_one(self):
        self.assertEqual(total([1]), 2, "one price")


if __name__ == "__main__":
    unittest.main()
"""
BARE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "/usr/bin:/bin"}
INSIDE = Frame("basket.py", 2)
CALL = Frame("test_basket.py", 11)
ASSERTION = Frame("test_basket.py", 14)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    (folder / "basket.py").write_text(SOURCE)
    (folder / "test_basket.py").write_text(TESTS)
    return folder


def run(tree: Path, *arguments: str) -> str:
    command = [sys.executable, "-B", *arguments]
    done = subprocess.run(command, cwd=tree, env=BARE, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stdout + done.stderr
    return clean(done.stdout + "\n" + done.stderr)


@pytest.mark.parametrize("style", ["long", "short", "native", "auto"])
def test_pytest(tree: Path, style: str) -> None:
    output = run(tree, "-m", "pytest", "-q", f"--tb={style}", "--color=yes", "-p", "no:cacheprovider")
    empty, one = read_failures(output, root=str(tree))
    assert empty.tests == ("test_basket.py::TestTotal::test_empty",)
    assert one.tests == ("test_basket.py::TestTotal::test_one",)
    assert empty.reason == "IndexError: list index out of range"
    assert one.reason == "AssertionError: 1 != 2 : one price"
    assert empty.frames[-2:] == (CALL, INSIDE)
    assert ASSERTION in one.frames
    assert Frame("elsewhere.py", 1) not in empty.frames


def test_pytest_with_one_line_for_each(tree: Path) -> None:
    output = run(tree, "-m", "pytest", "-q", "--tb=line", "-p", "no:cacheprovider")
    (failure,) = read_failures(output, root=str(tree))
    assert [name.rpartition("::")[2] for name in failure.tests] == ["test_empty", "test_one"]
    assert INSIDE in failure.frames


def test_pytest_without_reports(tree: Path) -> None:
    output = run(tree, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider")
    (failure,) = read_failures(output, root=str(tree))
    assert len(failure.tests) == 2
    assert failure.frames == (), "a warning is no frame"


def test_unittest(tree: Path) -> None:
    empty, one = read_failures(run(tree, "-m", "unittest", "-v"), root=str(tree))
    assert empty == Failure(
        ("test_empty (test_basket.TestTotal.test_empty)",), "IndexError: list index out of range", (CALL, INSIDE)
    )
    assert one.reason == "AssertionError: 1 != 2 : one price"
    assert one.frames[-1] == ASSERTION


def test_a_module_that_cannot_be_imported(tree: Path) -> None:
    (tree / "broken.py").write_text("\nimport there_is_no_such_module\n")
    output = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "broken.py"],
        cwd=tree,
        env=BARE,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    (failure,) = read_failures(output, root=str(tree))
    assert failure.tests == ("ERROR collecting broken.py",)
    assert failure.frames[-1] == Frame("broken.py", 2)
    assert "there_is_no_such_module" in failure.reason


def test_other_tools_are_read_for_places() -> None:
    output = "--- FAIL: TestTotal (0.00s)\n    basket_test.go:12: got 1, want 2\n  at f (/tree/web/basket.ts:3:14)\n"
    (failure,) = read_failures(output, root="/tree")
    assert failure.frames == (Frame("basket_test.go", 12), Frame("web/basket.ts", 3))


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("./src/../basket.py", "basket.py"),
        ("/tree/basket.py", "basket.py"),
        ("/trees/basket.py", "/trees/basket.py"),
        ("/usr/lib/python3/basket.py", "/usr/lib/python3/basket.py"),
    ],
)
def test_paths_are_those_of_the_tree(path: str, seen: str) -> None:
    (failure,) = read_failures(f"{path}:2: IndexError\n", root="/tree")
    assert failure.frames == (Frame(seen, 2),)


def test_silence_is_no_failure() -> None:
    assert read_failures(" \n", root="/tree") == ()


PIECES = ["_", " ", "=", "-", "\n", ":", "::", "a", ".", "/", "FAILED ", "ERROR ", "E ", "Error", 'File "', '", line ']
PIECES += ["9", "Captured ", "_ a _", "\x1b[", "\x1b]", "\x07", "warnings summary"]


@pytest.mark.parametrize(
    "piece", [*PIECES, "a.", "a:", "a::", "Error: ", " _ a", "\x1b]a", "= = ", "\n____ a ____", "9a"]
)
def test_hostile_output_is_read_in_time(piece: str) -> None:
    """Much of one piece must not cost more than a moment."""
    output = (piece * (1 << 17))[: 1 << 17]
    start = time.monotonic()
    read_failures(clean(output), root="/tree")
    assert time.monotonic() - start < 10


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_output_can_be_read(output: str) -> None:
    for failure in read_failures(clean(output), root="/tree"):
        assert all(re.fullmatch(r"\d{1,7}", str(frame.line)) for frame in failure.frames)
