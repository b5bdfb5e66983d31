"""The stage execute: what becomes of the work of an agent whose time is over."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.items import Recipe, RepositoryConfig
from entropy.lifecycle.execute import execute
from entropy.models import Run, Verdict
from entropy.settings import Settings
from entropy.wiring import Toolbox
from tests.integration.agents.conftest import packed
from tests.services import require
from tests.unit.agents.assignments import assignment

pytestmark = [pytest.mark.redis, pytest.mark.bubblewrap]


@pytest.fixture
def tools(tmp_path: Path, redis_url: str) -> Iterator[Toolbox]:
    """A sandbox worker's toolbox; a command is cut off after a second, and a patch may be small only."""
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    sandbox = {"backend": "bubblewrap", "directory": tmp_path / "sandboxes", "command_timeout": 1, "patch_mib": 1}
    tools = Toolbox(Settings.model_validate({"redis": {"url": redis_url}, "sandbox": sandbox}))
    yield tools
    tools.connection.close()


def cut_off(tools: Toolbox, command: str) -> Run:
    """The run after an agent did this in a shell, and did not come to an end."""
    recipe = Recipe(name="long", label="recipe:long", command=("sh", "-c", f"{command}; sleep 60"))
    given = assignment(labels=("recipe:long",), config=RepositoryConfig(test=("true",), recipes=(recipe,)))
    run = tools.runs.get(tools.runs.admit(given.item.reference, "coder")[1])
    return execute(
        run.evolve(
            assignment=tools.artifacts.put(run.id, given.model_dump_json().encode()),
            snapshot=tools.artifacts.put(run.id, packed({"README.md": "Widgets\n"})),
        ),
        tools,
    )


def test_what_was_done_until_then_is_kept(tools: Toolbox) -> None:
    run = cut_off(tools, "echo more >> README.md")
    assert run.outcome is not None
    assert run.outcome.patch is not None
    assert run.outcome.verdict is Verdict.INCOMPLETE
    assert b"+more" in tools.artifacts.get(run.id, run.outcome.patch)


def test_why_what_was_done_until_then_is_not_kept_is_said(tools: Toolbox) -> None:
    outcome = cut_off(tools, "head -c 2000000 /dev/urandom > much").outcome
    assert outcome is not None
    assert (outcome.verdict, outcome.patch) == (Verdict.GAVE_UP, None)
    assert "stopped at its time limit" in outcome.summary
    assert "What was done so far is not kept. The patch has " in outcome.summary
    assert outcome.summary.endswith("more than ENTROPY_SANDBOX__PATCH_MIB allows.")
