"""The coder with its engines in a real sandbox."""

import shlex
from pathlib import Path

import pytest

from entropy.agents.base import NoSandbox
from entropy.agents.registry import AgentRegistry
from entropy.items import Assignment, Recipe, RepositoryConfig
from entropy.models import Evidence, Outcome, Verdict
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Sandbox
from entropy.settings import EngineSettings, SandboxSettings
from tests.integration.agents.conftest import OpenSandbox, packed
from tests.unit.agents.assignments import assignment, pull_request, review

SOURCE = "def total(prices):\n    return prices[0]\n"
TESTS = """\
import unittest

from basket import total


class TestTotal(unittest.TestCase):
    def test_empty(self):
        self.assertEqual(total([]), 0)

    def test_two(self):
        self.assertEqual(total([1, 2]), 3)
"""
TREE = {"basket.py": SOURCE, "test_basket.py": TESTS}
TEST = ("python", "-m", "unittest")
FIX = ("sed", "-i", "s/prices.0./sum(prices)/", "basket.py")

RECORDING = '''
repository = "acme/widgets"
title = "Totals are wrong for an empty basket"

[[attempt]]
summary = "An empty basket costs nothing."

[[attempt.step]]
run = ["python", "-B", "-m", "unittest"]
expect = 1

[[attempt.step]]
edit = "basket.py"
replace = """
    return prices[0]
"""
with = """
    return prices[0] if prices else 0
"""

[[attempt]]
summary = "All prices count."

[[attempt.step]]
edit = "basket.py"
replace = "prices[0] if prices else 0"
with = "sum(prices)"

[[attempt.step]]
write = "docs/changes.txt"
content = "Totals are sums."
'''


def recipe(*command: str) -> RepositoryConfig:
    return RepositoryConfig(test=TEST, recipes=(Recipe(name="sum", label="recipe:sum", command=command),))


def perform(assigned: Assignment, sandbox: Sandbox, recordings: Path | None = None) -> Outcome:
    coder = AgentRegistry.load(EngineSettings(recordings=recordings)).agent("coder")
    return coder.perform(assigned, sandbox)


def replay(text: str, folder: Path, sandbox: Sandbox) -> Outcome:
    (folder / "one.toml").write_text(text)
    return perform(assignment(config=RepositoryConfig(test=TEST)), sandbox, recordings=folder)


def steps(*lines: str) -> str:
    head = 'repository = "acme/widgets"\ntitle = "Totals are wrong for an empty basket"\n[[attempt]]\nsummary = "s"\n'
    return head + "".join(f"[[attempt.step]]\n{line}\n" for line in lines)


def ended(evidence: tuple[Evidence, ...]) -> list[tuple[tuple[str, ...], int | None]]:
    return [(one.command, one.exit_status) for one in evidence]


def test_where_no_engine_applies_the_labels_are_named() -> None:
    outcome = perform(assignment(config=recipe("true")), NoSandbox())
    assert outcome.verdict is Verdict.GAVE_UP
    assert "`recipe:sum`" in outcome.summary


def test_where_there_is_no_recipe_the_file_is_named() -> None:
    assert ".entropy.toml" in perform(assignment(), NoSandbox()).summary


@pytest.mark.bubblewrap
def test_a_recipe_changes_the_tree_and_nothing_else_does(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(TREE)
    outcome = perform(assignment(labels=("bug", "recipe:sum"), config=recipe(*FIX)), sandbox)
    assert (outcome.verdict, outcome.engine) == (Verdict.CHANGED, "recipe")
    assert ended(outcome.evidence) == [(FIX, 0), (TEST, 0)]
    assert "Ran 2 tests" in outcome.evidence[1].output
    assert (
        outcome.summary == "The recipe sum was run. The tests are green: `python -m unittest` ended with exit status 0."
    )
    patch = sandbox.collect().decode()
    assert "+    return sum(prices)" in patch
    assert patch.count("diff --git") == 1, "what the tests leave behind is no part of the change"


@pytest.mark.bubblewrap
def test_a_recipe_that_fails_gives_up_with_what_it_said(open_sandbox: OpenSandbox) -> None:
    config = recipe("sh", "-c", "printf '\\033[31mno such codemod\\033[0m\\n' >&2; exit 3")
    outcome = perform(assignment(labels=("recipe:sum",), config=config), open_sandbox(TREE))
    assert outcome.verdict is Verdict.GAVE_UP
    assert "exit status 3" in outcome.summary
    assert [one.output for one in outcome.evidence] == ["no such codemod"]


@pytest.mark.bubblewrap
def test_a_recipe_whose_tests_are_red_gives_up(open_sandbox: OpenSandbox) -> None:
    config = recipe("sed", "-i", "s/prices.0./len(prices)/", "basket.py")
    outcome = perform(assignment(labels=("recipe:sum",), config=config), open_sandbox(TREE))
    assert outcome.verdict is Verdict.GAVE_UP
    assert "The tests are red" in outcome.summary
    assert "AssertionError: 2 != 3" in outcome.evidence[1].output


@pytest.mark.bubblewrap
def test_without_a_test_command_the_summary_says_so(open_sandbox: OpenSandbox) -> None:
    config = recipe(*FIX).model_copy(update={"test": None})
    outcome = perform(assignment(labels=("recipe:sum",), config=config), open_sandbox(TREE))
    assert outcome.verdict is Verdict.CHANGED
    assert "names no test command" in outcome.summary


@pytest.mark.bubblewrap
def test_a_tree_too_large_to_copy_is_tested_in_its_place(settings: SandboxSettings) -> None:
    config = recipe("sh", "-c", f"head -c 20000000 /dev/zero > large; {shlex.join(FIX)}")
    with make_backend(settings.model_copy(update={"tmp_mib": 16})).open("r1") as sandbox:
        sandbox.put(packed(TREE))
        outcome = perform(assignment(labels=("recipe:sum",), config=config), sandbox)
    assert outcome.verdict is Verdict.CHANGED, outcome


@pytest.mark.bubblewrap
def test_replay_answers_an_issue_and_then_its_review(open_sandbox: OpenSandbox, tmp_path: Path) -> None:
    (tmp_path / "basket.toml").write_text(RECORDING)
    config = RepositoryConfig(test=TEST)

    first = open_sandbox(TREE)
    proposed = perform(assignment(config=config), first, recordings=tmp_path)
    assert (proposed.verdict, proposed.engine) == (Verdict.CHANGED, "replay")
    assert proposed.summary.startswith("An empty basket costs nothing. The tests are red: `python -m unittest` ended")
    assert [status for _, status in ended(proposed.evidence)] == [1, 1]
    reworked_tree = TREE | {"basket.py": SOURCE.replace("prices[0]", "prices[0] if prices else 0")}
    assert first.exec(("cat", "basket.py")).stdout == reworked_tree["basket.py"]

    rejected = pull_request(reviews=(review("CHANGES_REQUESTED"), review("COMMENTED")))
    second = open_sandbox(reworked_tree)
    reworked = perform(assignment(config=config, pull=rejected), second, recordings=tmp_path)
    assert reworked.verdict is Verdict.CHANGED
    assert reworked.summary.startswith("All prices count. The tests are green")
    assert "docs/changes.txt" in second.collect().decode()


def test_replay_gives_up_when_its_attempts_are_used_up(tmp_path: Path) -> None:
    (tmp_path / "basket.toml").write_text(RECORDING)
    rejected = pull_request(reviews=tuple(review("CHANGES_REQUESTED", commit=head * 40) for head in "ab"))
    outcome = perform(assignment(pull=rejected), NoSandbox(), recordings=tmp_path)
    assert outcome.verdict is Verdict.GAVE_UP
    assert "has 2 attempts and number 3 is asked for" in outcome.summary


@pytest.mark.parametrize("title", ["Totals are wrong", "totals are wrong for an empty basket"])
def test_replay_knows_only_its_own_issue(tmp_path: Path, title: str) -> None:
    (tmp_path / "basket.toml").write_text(RECORDING)
    outcome = perform(assignment(title=title), NoSandbox(), recordings=tmp_path)
    assert (outcome.verdict, outcome.engine) == (Verdict.GAVE_UP, None)


@pytest.mark.bubblewrap
@pytest.mark.parametrize(
    ("step", "words"),
    [
        ('edit = "basket.py"\nreplace = "no such text"\nwith = ""', "is in `basket.py` 0 times instead of once"),
        ('edit = "basket.py"\nreplace = "prices"\nwith = ""', "is in `basket.py` 2 times instead of once"),
        ('edit = "nowhere.py"\nreplace = "a"\nwith = ""', "the file `nowhere.py` cannot be read"),
        ('edit = "large.txt"\nreplace = "a"\nwith = ""', "the file `large.txt` is too large"),
        ('write = "basket.py/inner"\ncontent = ""', "the file `basket.py/inner` cannot be written"),
        ('run = ["true"]\nexpect = 1', "`true` ended with exit status 0, the recording expects 1"),
    ],
)
def test_a_step_that_does_not_fit_gives_up(open_sandbox: OpenSandbox, tmp_path: Path, step: str, words: str) -> None:
    sandbox = open_sandbox(TREE | {"large.txt": "b" * (1 << 20)})
    outcome = replay(steps('run = ["true"]', step), tmp_path, sandbox)
    assert outcome.verdict is Verdict.GAVE_UP
    assert outcome.summary.startswith("Step 2 of attempt 1 does not fit: ")
    assert words in outcome.summary
    assert outcome.evidence[0].command == ("true",)


@pytest.mark.bubblewrap
def test_an_edit_leaves_every_other_byte_as_it_was(open_sandbox: OpenSandbox, tmp_path: Path) -> None:
    before = b"caf\xe9\r\n\x00old\x0c\r\nlast line without an end"
    sandbox = open_sandbox(TREE | {"-odd name.bin": before})
    replay(steps('edit = "-odd name.bin"\nreplace = "old"\nwith = "new"'), tmp_path, sandbox)
    hexed = sandbox.exec(("od", "-An", "-v", "-tx1", "./-odd name.bin")).stdout
    assert bytes.fromhex("".join(hexed.split())) == before.replace(b"old", b"new")
