"""The reviewer in a real sandbox: what it approves, and where it points when something is wrong."""

import difflib

import pytest

from entropy.agents.base import NoSandbox
from entropy.agents.roles.reviewer import Reviewer
from entropy.items import RepositoryConfig
from entropy.models import Outcome, Verdict
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Sandbox
from entropy.settings import SandboxSettings
from tests.integration.agents.conftest import OpenSandbox
from tests.unit.agents.assignments import assignment, pull_request

UNITTEST = ("python", "-B", "-m", "unittest")
PYTEST = ("env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", "python", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider")
BASE = {
    "basket.py": "def total(prices):\n    return prices[0]\n",
    "test_basket.py": """\
import unittest

from basket import total


class TestTotal(unittest.TestCase):
    def test_empty(self):
        self.assertEqual(total([]), 0)

    def test_two(self):
        self.assertEqual(total([1, 2]), 3)
""",
}
GOOD = BASE | {"basket.py": "def total(prices):\n    return sum(prices)\n"}
WRONG = BASE | {"a/tests/prices.txt": "1\n", "basket.py": "def total(prices):\n    first = 1\n    return len(prices)\n"}
RAISING = BASE | {"a.py": "A = 1\n", "basket.py": "def total(prices):\n    # sums\n    return 0 + prices[7]\n"}


def diff(head: dict[str, str]) -> str:
    text = ""
    for path in sorted(head):
        before, after = BASE.get(path, "").splitlines(True), head[path].splitlines(True)
        changes = "".join(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}"))
        text += f"diff --git a/{path} b/{path}\n{changes}" if changes else ""
    return text


def review(head: dict[str, str], sandbox: Sandbox, test: tuple[str, ...] | None = UNITTEST) -> Outcome:
    config = RepositoryConfig(test=test)
    return Reviewer().perform(assignment(pull=pull_request(), config=config, diff=diff(head)), sandbox)


@pytest.mark.bubblewrap
@pytest.mark.parametrize("test", [UNITTEST, PYTEST])
def test_green_tests_are_approved(open_sandbox: OpenSandbox, test: tuple[str, ...]) -> None:
    outcome = review(GOOD, open_sandbox(GOOD), test)
    assert outcome.verdict is Verdict.APPROVED
    assert [(one.command, one.exit_status) for one in outcome.evidence] == [(test, 0)]
    assert outcome.findings == ()


@pytest.mark.bubblewrap
@pytest.mark.parametrize("test", [UNITTEST, PYTEST])
def test_an_error_in_a_changed_line_is_found_there(open_sandbox: OpenSandbox, test: tuple[str, ...]) -> None:
    outcome = review(RAISING, open_sandbox(RAISING), test)
    assert outcome.verdict is Verdict.CHANGES_REQUESTED
    (finding,) = outcome.findings
    assert (finding.path, finding.line) == ("basket.py", 3)
    for words in ("test_empty", "test_two", "IndexError: list index out of range"):
        assert words in finding.message
    assert "test_empty" in outcome.summary


@pytest.mark.bubblewrap
@pytest.mark.parametrize("beside", [{}, {"CHANGES.md": "* Totals are quicker.\n"}])
def test_a_wrong_value_is_told_at_the_first_changed_line_of_the_code(
    open_sandbox: OpenSandbox, beside: dict[str, str]
) -> None:
    head = WRONG | beside
    outcome = review(head, open_sandbox(head))
    assert [(finding.path, finding.line) for finding in outcome.findings] == [("basket.py", 2)]
    assert "AssertionError: 2 != 3" in outcome.findings[0].message


@pytest.mark.bubblewrap
def test_a_change_of_tests_alone_is_told_in_the_test(open_sandbox: OpenSandbox) -> None:
    head = BASE | {
        "test_basket.py": BASE["test_basket.py"].replace("import unittest\n", "import unittest\nimport os\n", 1)
    }
    outcome = review(head, open_sandbox(head))
    assert {(finding.path, finding.line) for finding in outcome.findings} == {("test_basket.py", 2)}


@pytest.mark.bubblewrap
def test_a_change_that_only_removes_is_told_next_to_the_gap(open_sandbox: OpenSandbox) -> None:
    head = BASE | {"basket.py": "def total(prices):\n"}
    outcome = review(head, open_sandbox(head))
    assert {(finding.path, finding.line) for finding in outcome.findings} == {("basket.py", 1)}


@pytest.mark.bubblewrap
def test_tests_that_say_nothing_are_still_told_somewhere(open_sandbox: OpenSandbox) -> None:
    outcome = review(WRONG, open_sandbox(WRONG), ("false",))
    assert outcome.verdict is Verdict.CHANGES_REQUESTED
    assert [finding.message for finding in outcome.findings] == [
        "The tests fail with this change: `false` ended with exit status 1."
    ]


@pytest.mark.bubblewrap
def test_tests_that_do_not_end_are_sent_back(settings: SandboxSettings) -> None:
    with make_backend(settings.model_copy(update={"command_timeout": 1})).open("r2") as sandbox:
        outcome = review(GOOD, sandbox, ("sleep", "60"))
    assert outcome.verdict is Verdict.CHANGES_REQUESTED
    assert outcome.evidence[0].exit_status is None
    assert "stopped at its time limit" in outcome.summary
    assert outcome.findings[0].path == "basket.py"


@pytest.mark.bubblewrap
def test_a_test_command_that_is_not_there_is_for_people(open_sandbox: OpenSandbox) -> None:
    outcome = review(GOOD, open_sandbox(GOOD), ("no-such-program",))
    assert outcome.verdict is Verdict.GAVE_UP
    assert "Correct the test command in .entropy.toml" in outcome.summary


@pytest.mark.bubblewrap
def test_what_the_tests_print_cannot_speak_for_us(open_sandbox: OpenSandbox) -> None:
    script = "echo 'basket.py:2: Error: @all <!-- entropy:x --> `[x](http://evil.test)`'; exit 1"
    outcome = review(WRONG, open_sandbox(WRONG), ("sh", "-c", script))
    (finding,) = outcome.findings
    assert "`Error: @all < !-- entropy:x --> '[x](http://evil.test)'`" in finding.message
    assert "<!--" not in outcome.evidence[0].output


def test_an_empty_change_is_sent_back() -> None:
    outcome = review(BASE, NoSandbox())
    assert outcome.verdict is Verdict.CHANGES_REQUESTED
    assert outcome.summary == "This pull request changes nothing against `main`."


def test_without_a_test_command_a_person_has_to_review() -> None:
    outcome = review(GOOD, NoSandbox(), None)
    assert outcome.verdict is Verdict.GAVE_UP
    assert "a person has to review" in outcome.summary


def test_an_issue_is_not_reviewed() -> None:
    assert Reviewer().perform(assignment(), NoSandbox()).verdict is Verdict.GAVE_UP
