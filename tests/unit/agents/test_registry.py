"""The tables of roles and engines, and how other distributions add to them."""

import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from entropy.agents.base import BaseAgent, NoSandbox
from entropy.agents.registry import AgentRegistry
from entropy.errors import ConfigurationError, IllegalStep, UnknownRole
from entropy.items import Assignment
from entropy.models import Outcome, Verdict
from entropy.sandbox.interface import Sandbox
from entropy.settings import EngineSettings
from tests.unit.agents.assignments import assignment


class Greeter(BaseAgent):
    role = "greeter"
    trigger = "entropy:greet"
    uses_sandbox = False

    def perform(self, assignment: Assignment, sandbox: Sandbox) -> Outcome:
        return Outcome(verdict=Verdict.WAITING, summary=f"Good day, {assignment.item.author}.")


class Doorkeeper(Greeter):
    role = "doorkeeper"


class Butler(Greeter):
    trigger = "entropy:serve"


class Clerk(Greeter):
    role = "scheduler"


class Meddler(Greeter):
    handoffs: ClassVar = {}

    def perform(self, assignment: Assignment, sandbox: Sandbox) -> Outcome:
        sandbox.exec(["true"])
        return super().perform(assignment, sandbox)


def test_the_built_in_roles_and_their_labels() -> None:
    registry = AgentRegistry.load(EngineSettings())
    assert registry.roles() == ("coder", "reviewer", "merger")
    assert registry.triggers() == {
        "entropy:code": "coder",
        "entropy:review": "reviewer",
        "entropy:merge": "merger",
    }
    assert [registry.agent(role).uses_sandbox for role in registry.roles()] == [True, True, False]


def test_each_handoff_leads_to_a_role() -> None:
    registry = AgentRegistry.load(EngineSettings())
    labels = {label for role in registry.roles() for label in registry.agent(role).handoffs.values()}
    assert labels <= set(registry.triggers())


def test_an_unknown_role_is_told_the_known_ones() -> None:
    with pytest.raises(UnknownRole, match=r"no role 'poet'; the roles are coder, reviewer, merger\."):
        AgentRegistry.load(EngineSettings()).agent("poet")


def test_loading_needs_no_recordings() -> None:
    AgentRegistry.load(EngineSettings(recordings=Path("/nowhere")))


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (Butler(), "Greeter and Butler both have the role 'greeter'"),
        (Doorkeeper(), "Greeter and Doorkeeper both start on the label 'entropy:greet'"),
        (Clerk(), "Clerk has the role 'scheduler'"),
    ],
)
def test_two_agents_do_not_share(second: BaseAgent, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        AgentRegistry([Greeter(), second])


def test_an_agent_without_a_sandbox_may_not_touch_one() -> None:
    with pytest.raises(IllegalStep, match="uses_sandbox"):
        Meddler().perform(assignment(), NoSandbox())


# A distribution of somebody else, as an installer lays it down. Another process reads it, so that what is looked up
# is what `sys.path` really holds.
PLANNER = """
from entropy.agents.base import BaseAgent
from entropy.models import Outcome, Verdict


class Planner(BaseAgent):
    role = "planner"
    trigger = "entropy:plan"
    handoffs = {Verdict.CHANGED: "entropy:code"}

    def perform(self, assignment, sandbox):
        return Outcome(verdict=Verdict.CHANGED, summary=",".join(engine.name for engine in self.engines))


class Oracle:
    name = "oracle"
    proposes_red = False

    def __init__(self, settings):
        pass

    def applies(self, assignment):
        return True
"""
PROGRAM = """
from entropy.agents.registry import AgentRegistry
from entropy.errors import ConfigurationError
from entropy.settings import EngineSettings

try:
    registry = AgentRegistry.load(EngineSettings())
except ConfigurationError as error:
    raise SystemExit(f"refused: {error}")
print(*registry.roles())
print(registry.triggers()["entropy:plan"])
print(registry.agent("planner").perform(None, None).summary)
"""


def with_distribution(folder: Path, entry_points: str) -> subprocess.CompletedProcess[str]:
    (folder / "acme_planner.py").write_text(PLANNER)
    info = folder / "acme_planner-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-planner\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)
    return subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM],
        env={"PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_new_role_is_one_file_and_one_line(tmp_path: Path) -> None:
    done = with_distribution(
        tmp_path,
        "[entropy.agents]\nplanner = acme_planner:Planner\n[entropy.engines]\noracle = acme_planner:Oracle\n",
    )
    assert done.stdout.splitlines() == ["coder reviewer merger planner", "planner", "recipe,replay,oracle"], done.stderr


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("acme_planner:Nobody", "entry point planner of entropy.agents cannot be loaded"),
        ("no_such_module:Planner", "entry point planner of entropy.agents cannot be loaded"),
        ("acme_planner:Oracle", "have to name subclasses of BaseAgent"),
    ],
)
def test_a_broken_entry_point_is_named(tmp_path: Path, target: str, words: str) -> None:
    done = with_distribution(tmp_path, f"[entropy.agents]\nplanner = {target}\n")
    assert done.returncode == 1
    assert done.stderr.startswith("refused: ")
    assert words in done.stderr
