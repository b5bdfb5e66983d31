"""The stage execute: what becomes of the work of an agent whose time is over."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.errors import ConfigurationError
from entropy.items import Recipe, RepositoryConfig
from entropy.lifecycle.execute import execute
from entropy.models import Run, Verdict
from entropy.settings import SandboxBounds, Settings
from entropy.state.compression import pack
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


def snapshot(files: dict[str, str | bytes]) -> bytes:
    """As the stage claim leaves it."""
    content = io.BytesIO()
    pack(io.BytesIO(packed(files)), content)
    return content.getvalue()


def cut_off(tools: Toolbox, command: str) -> Run:
    """The run after an agent did this in a shell, and did not come to an end."""
    return executed(tools, f"{command}; sleep 60")


def executed(tools: Toolbox, command: str, bounds: SandboxBounds = SandboxBounds()) -> Run:  # noqa: B008 - frozen
    """The run after an agent did this in a shell, for a repository with these bounds."""
    recipe = Recipe(name="long", label="recipe:long", command=("sh", "-c", command))
    config = RepositoryConfig(test=("true",), recipes=(recipe,), sandbox=bounds)
    given = assignment(labels=("recipe:long",), config=config)
    run = tools.runs.get(tools.runs.admit(given.item.reference, "coder")[1])
    return execute(
        run.evolve(
            assignment=tools.artifacts.put(run.id, given.model_dump_json().encode()),
            snapshot=tools.artifacts.put(run.id, snapshot({"README.md": "Widgets\n"})),
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


def test_a_repository_tightens_its_sandbox(tools: Toolbox) -> None:
    run = executed(tools, "ulimit -f > limit", SandboxBounds(workspace_mib=16))
    assert run.outcome is not None
    assert run.outcome.patch is not None
    assert b"+32768\n" in tools.artifacts.get(run.id, run.outcome.patch)
    assert "[sandbox]" not in run.outcome.summary


def test_a_repository_that_asks_for_more_is_told_in_a_sentence(tools: Toolbox) -> None:
    outcome = executed(tools, "echo more >> README.md", SandboxBounds(memory_mib=10**6, pids=10**6)).outcome
    assert outcome is not None
    assert outcome.verdict is Verdict.CHANGED
    assert outcome.summary.endswith("asks for more than this installation gives, which it may not: memory_mib, pids.")


def test_an_image_that_the_operator_does_not_know_is_not_used(tools: Toolbox) -> None:
    with pytest.raises(ConfigurationError, match="ENTROPY_SANDBOX__IMAGES"):
        executed(tools, "true", SandboxBounds(image="evil:1"))
