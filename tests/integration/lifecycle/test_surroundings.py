"""Surroundings of a run on a pull request: the issue that it answers may be gone, or not be shown."""

from pathlib import Path

import pytest

from entropy.errors import ForgeRefused
from entropy.lifecycle.surroundings import _labels_of_issue
from entropy.models import Run
from entropy.settings import Settings
from entropy.wiring import Toolbox
from tests.integration.github.scripted import Answer, scripted
from tests.unit.agents.assignments import assignment, pull_request

pytestmark = pytest.mark.redis


def inherited(status: int, folder: Path, redis_url: str) -> tuple[str, ...]:
    """What a rework inherits where the forge answers this to a look at the issue."""
    item = assignment(pull=pull_request(head_branch="entropy/issue-3")).item
    run = Run(id="r1", item=item.reference, role="coder", created=0, trigger="entropy:code")
    (folder / "coder_github_token").touch(mode=0o600)
    (folder / "coder_github_token").write_text("token-of-nobody")
    with scripted(lambda asked: Answer(status, {"message": "No."})) as server:
        told = {"redis": {"url": redis_url}, "github": {"api": server.api}, "secrets": {"directory": folder}}
        tools = Toolbox(Settings.model_validate(told))
        try:
            with tools.github("coder"):
                return _labels_of_issue(run, item, tools)
        finally:
            tools.connection.close()


@pytest.mark.parametrize("status", [404, 410])
def test_of_an_issue_that_is_gone_nothing_is_inherited(status: int, tmp_path: Path, redis_url: str) -> None:
    assert inherited(status, tmp_path, redis_url) == ()


def test_an_issue_that_may_not_be_read_is_told_of(tmp_path: Path, redis_url: str) -> None:
    with pytest.raises(ForgeRefused, match="give the token or the App of this role the permission"):
        inherited(403, tmp_path, redis_url)
