"""The demo finds a sandbox that really runs what its repositories need, or says why there is none."""

import shutil
import sys
from pathlib import Path

import pytest

from entropy.cli.demo import sandbox_choice
from entropy.cli.demo.failure import DemoFailed
from tests.services import require


@pytest.mark.bubblewrap
def test_an_environment_without_the_needed_tools_is_refused_with_the_reason(tmp_path: Path) -> None:
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    with pytest.raises(DemoFailed, match=r"bubblewrap sandbox .*No module named"):
        sandbox_choice.choose(tmp_path, wanted="bubblewrap", tools=Path(sys.base_prefix), say=print)


@pytest.mark.bubblewrap
def test_bubblewrap_is_proved_by_using_it(tmp_path: Path) -> None:
    tools = Path(__file__).parents[3] / ".tools" / "sandbox"
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    require(tools.is_dir(), "the sandbox's environment is not made; run ops/tools sandbox")
    chosen = sandbox_choice.choose(tmp_path, wanted="bubblewrap", tools=tools, say=print)
    assert chosen.environment["ENTROPY_SANDBOX__BACKEND"] == "bubblewrap"
    assert str(tools) in chosen.environment["ENTROPY_SANDBOX__BINDS"]
    assert list((tmp_path / "sandboxes").iterdir()) == []
