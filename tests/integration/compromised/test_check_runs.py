"""Words of a compromised reviewer in a check run, which an App makes: its summary and its remarks at lines."""

from pathlib import Path

import pytest
from github import Auth, Github

from entropy.items import Assignment
from entropy.lifecycle.report import report
from entropy.models import Finding, Stage, Verdict, WorkItem
from tests.forge_server import running_forge
from tests.integration.compromised.hostile import WORST, worst
from tests.integration.compromised.judge import alive
from tests.integration.lifecycle.test_checks import ALL, REPOSITORY, toolbox

pytestmark = pytest.mark.redis


def test_a_check_run_says_nothing_that_the_forge_obeys(tmp_path: Path, redis_url: str) -> None:
    with running_forge(tmp_path) as forge:
        tools = toolbox(forge, tmp_path, redis_url, permissions=ALL | {"checks": "write"})
        number = tools.github("coder").pulls.ensure(
            REPOSITORY, branch="entropy/issue-1", base="main", title="C", body="b"
        )
        reference = WorkItem(repository=REPOSITORY, number=number)
        run = tools.runs.get(tools.runs.admit(reference, "reviewer", trigger=None)[1])
        item = tools.github("coder").issues.get(reference)
        head = item.pull_request.head_commit if item.pull_request else ""
        assignment = Assignment(run_id=run.id, role="reviewer", item=item, base_branch="main", base_commit=head)
        findings = (Finding(path="text.txt", line=1, message=f"{WORST} ghp_{'a1B2' * 9}"),)
        outcome = worst(Verdict.CHANGES_REQUESTED, findings=findings)
        frozen = tools.artifacts.put(run.id, assignment.model_dump_json().encode())
        report(run.evolve(stage=Stage.REPORT, assignment=frozen, outcome=outcome), tools)
        token = Auth.Token(tools.secrets.get("coder", "github-token").reveal())
        (check,) = Github(auth=token, base_url=forge.api).get_repo(REPOSITORY).get_commit(head).get_check_runs()
        (remark,) = check.get_annotations()
        for text in (check.output.summary, remark.message):
            assert alive(text) == []
            assert "ghp_" not in text
        for role in ("coder", "reviewer", "merger", "scheduler"):
            tools.github(role).close()
        tools.connection.close()
