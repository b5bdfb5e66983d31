"""Which command of an agent has a way out: what an engine runs has the agent's, a repository's tests have none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.agents.registry import AgentRegistry
from entropy.items import Assignment, Recipe, RepositoryConfig
from entropy.models import Verdict
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Sandbox
from entropy.settings import EgressSettings, EngineSettings, SandboxSettings
from tests.integration.agents.conftest import packed
from tests.unit.agents.assignments import assignment, pull_request

WAY = ("sh", "-c", "echo ${HTTPS_PROXY:-none}; echo ${HTTPS_PROXY:-none} > way")
RECORDING = f"""
repository = "acme/widgets"
title = "Totals are wrong for an empty basket"

[[attempt]]
summary = "Done."

[[attempt.step]]
run = {list(WAY)}
"""

pytestmark = pytest.mark.bubblewrap


@pytest.fixture
def sandbox(settings: SandboxSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    ways = {"directory": tmp_path_factory.mktemp("out"), "setup_hosts": ("index.example.com",)}
    egress = EgressSettings(agent_hosts=("models.example.com",), **ways)
    with make_backend(settings.model_copy(update={"egress": egress})).open("r1") as sandbox:
        sandbox.put(packed({"README.md": "Widgets\n"}))
        yield sandbox


def performed(assigned: Assignment, sandbox: Sandbox, *, role: str = "coder", folder: Path | None = None) -> list[str]:
    """What the commands said of their way."""
    outcome = AgentRegistry.load(EngineSettings(recordings=folder)).agent(role).perform(assigned, sandbox)
    assert outcome.verdict in (Verdict.CHANGED, Verdict.APPROVED), outcome
    return [piece.output for piece in outcome.evidence]


def test_a_recipe_has_it_and_the_tests_have_not(sandbox: Sandbox) -> None:
    config = RepositoryConfig(test=WAY, recipes=(Recipe(name="way", label="recipe:way", command=WAY),))
    assert performed(assignment(labels=("recipe:way",), config=config), sandbox) == ["http://127.0.0.1:3128", "none"]


def test_a_recording_has_it_and_the_tests_have_not(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "one.toml").write_text(RECORDING)
    assigned = assignment(config=RepositoryConfig(test=WAY))
    assert performed(assigned, sandbox, folder=tmp_path / "recordings") == ["http://127.0.0.1:3128", "none"]


def test_a_reviewer_has_none(sandbox: Sandbox) -> None:
    assigned = assignment(pull=pull_request(), config=RepositoryConfig(test=WAY), diff="a change")
    assert performed(assigned, sandbox, role="reviewer") == ["none"]
