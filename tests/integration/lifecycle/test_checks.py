"""What a review leaves at the commit: a check run of an App, with remarks; a commit status of everybody else."""

from pathlib import Path

import pytest

from entropy.agents.roles.merger import TESTS_CHECK
from entropy.items import Assignment, FailedCheck
from entropy.lifecycle.publish.review import publish_review
from entropy.models import Evidence, Finding, Outcome, Run, Verdict, WorkItem
from entropy.settings import Settings
from entropy.wiring import Toolbox
from tests.forge_server import ForgeServer, running_forge
from tests.integration.lifecycle.office import git

pytestmark = pytest.mark.redis

REPOSITORY = "acme/widgets"
FINDING = Finding(path="text.txt", line=1, message="Not once.")
RED = Outcome(
    verdict=Verdict.CHANGES_REQUESTED,
    summary="The tests are red.",
    findings=(FINDING,),
    evidence=(Evidence(command=("make", "test"), exit_status=2, output="", seconds=1.0),),
)
ALL = {"contents": "write", "issues": "write", "pull_requests": "write", "statuses": "write"}


def proposed(forge: ForgeServer, folder: Path, coder: str) -> None:
    """A branch with a change, by the coder."""
    who = {f"GIT_{role}_{part}": "coder" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    clone = folder / "clone"
    git("clone", "-q", forge.remote(REPOSITORY, coder), str(clone), at=folder)
    git("checkout", "-qb", "entropy/issue-1", at=clone)
    (clone / "text.txt").write_text("twice\n")
    git("commit", "-qam", "Change", at=clone, more=who)
    git("push", "-q", "origin", "entropy/issue-1", at=clone)


def toolbox(forge: ForgeServer, folder: Path, redis_url: str, *, permissions: dict[str, str] | None) -> Toolbox:
    """With permissions the reviewer is an App that was given these; otherwise it has a token."""
    source, secrets = folder / "source", folder / "secrets"
    source.mkdir()
    secrets.mkdir()
    (source / "text.txt").write_text("once\n")
    forge.store.import_repository(source, REPOSITORY)
    tokens = {
        role: forge.store.enrol(role, name=None, full_name=REPOSITORY, permission="write")
        for role in ("coder", "reviewer", "merger", "scheduler")
    }
    files, apps = {f"{role}_github_token": token for role, token in tokens.items()}, {}
    if permissions is not None:
        app = forge.store.add_app("Reviewing")
        forge.store.install_app(app.id, "acme", None, permissions)
        files["reviewer_github_app_key"], apps = app.private_key_pem, {"reviewer": app.id}
    for name, value in files.items():
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text(value)
    proposed(forge, folder, tokens["coder"])
    told = {
        "redis": {"url": redis_url},
        "github": {"api": forge.api, "apps": apps},
        "secrets": {"directory": secrets},
        "repository": {"cache": folder / "cache"},
    }
    return Toolbox(Settings.model_validate(told))


def reviewed(tools: Toolbox) -> tuple[Run, tuple[FailedCheck, ...]]:
    """A review of the coder's change, published twice as after a loss of Redis, and the checks that failed."""
    pulls = tools.github("coder").pulls
    number = pulls.ensure(REPOSITORY, branch="entropy/issue-1", base="main", title="Change", body="b")
    reference = WorkItem(repository=REPOSITORY, number=number)
    _, run_id = tools.runs.admit(reference, "reviewer", trigger=None)
    run, item = tools.runs.get(run_id), tools.github("coder").issues.get(reference)
    assert item.pull_request is not None
    head = item.pull_request.head_commit
    assignment = Assignment(run_id=run.id, role="reviewer", item=item, base_branch="main", base_commit=head)
    run = run.evolve(assignment=tools.artifacts.put(run.id, assignment.model_dump_json().encode()))
    for _ in range(2):
        publish_review(run, RED, tools)
        tools.intents.drop(run.id)
    return run, tools.github("coder").checks.failed(REPOSITORY, head)


@pytest.mark.parametrize(
    ("permissions", "is_run"),
    [
        pytest.param(ALL | {"checks": "write"}, True, id="an App"),
        pytest.param(ALL, False, id="an App that may not write checks"),
        pytest.param(None, False, id="a token"),
    ],
)
def test_a_check_run_where_that_is_allowed_and_a_status_where_not(
    tmp_path: Path, redis_url: str, permissions: dict[str, str] | None, is_run: bool
) -> None:
    with running_forge(tmp_path) as forge:
        tools = toolbox(forge, tmp_path, redis_url, permissions=permissions)
        _, (check,) = reviewed(tools)
        assert (check.name, check.run is not None) == (TESTS_CHECK, is_run)
        assert check.findings == ((FINDING,) if is_run else ())
        assert check.summary == "The tests fail."
        for role in ("coder", "reviewer", "merger", "scheduler"):
            tools.github(role).close()
        tools.connection.close()
