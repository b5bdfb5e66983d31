"""Dependencies on their way through a run: lock files out of the mirror, a cache for its commands, or a sentence."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.errors import ConfigurationError
from entropy.items import Recipe, RepositoryConfig, Setup
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.dependencies import save_locks
from entropy.lifecycle.execute import execute
from entropy.models import Outcome, Verdict
from entropy.sandbox.caches import locks_of
from entropy.settings import Settings
from entropy.wiring import Toolbox
from tests.integration.lifecycle.office import NAME, Office, git
from tests.integration.lifecycle.test_execute import snapshot
from tests.services import require
from tests.unit.agents.assignments import assignment, pull_request

pytestmark = [pytest.mark.redis, pytest.mark.bubblewrap]

LOCKS = locks_of({"requirements.txt": b"six\n"})
MADE = ("sh", "-c", "mkdir bin; printf '#!/bin/sh\\ncat /cache/requirements.txt\\n' > bin/ask; chmod +x bin/ask")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all, so that it is proven once."""
    return tmp_path_factory.mktemp("sandboxes")


@pytest.fixture
def tools(directory: Path, redis_url: str) -> Iterator[Toolbox]:
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    sandbox = {"backend": "bubblewrap", "directory": directory, "command_timeout": 5}
    tools = Toolbox(Settings.model_validate({"redis": {"url": redis_url}, "sandbox": sandbox}))
    yield tools
    tools.connection.close()


def worked(tools: Toolbox, setup: tuple[str, ...], *, role: str = "coder", test: str = "ask") -> Outcome:
    """What a run comes to whose recipe and tests ask what the setup made."""
    recipe = Recipe(name="ask", label="recipe:ask", command=("sh", "-c", "ask > asked"))
    config = RepositoryConfig(
        test=("sh", "-c", test), recipes=(recipe,), setup=Setup(command=setup, files=("requirements.txt",))
    )
    pull = pull_request() if role == "reviewer" else None
    given = assignment(labels=("recipe:ask",), config=config, pull=pull, diff="a change" if pull else "")
    run = tools.runs.get(tools.runs.admit(given.item.reference, role)[1])
    given = given.model_copy(update={"locks": tools.artifacts.put(run.id, LOCKS), "role": role})
    tree = tools.artifacts.put(run.id, snapshot({"README.md": "Widgets\n"}))
    ended = execute(
        run.evolve(assignment=tools.artifacts.put(run.id, given.model_dump_json().encode()), snapshot=tree), tools
    )
    assert ended.outcome is not None
    if ended.outcome.patch is not None:
        assert b"+six\n" in tools.artifacts.get(run.id, ended.outcome.patch)
    return ended.outcome


def test_the_coder_and_the_reviewer_have_it_and_it_is_no_part_of_the_change(tools: Toolbox) -> None:
    outcome = worked(tools, MADE)
    assert (outcome.verdict, outcome.evidence[-1].output) == (Verdict.CHANGED, "six"), outcome
    assert outcome.patch is not None
    review = worked(tools, MADE, role="reviewer")
    assert (review.verdict, review.evidence[-1].output) == (Verdict.APPROVED, "six"), review
    folders = list((tools.settings.sandbox.directory / ".caches").iterdir())
    assert len(folders) == 1


def test_a_setup_that_fails_ends_the_run_with_a_sentence_and_what_it_said(tools: Toolbox) -> None:
    outcome = worked(tools, ("sh", "-c", "echo nothing to be had >&2; exit 4"))
    assert outcome.verdict is Verdict.GAVE_UP
    assert outcome.summary.startswith("The setup of .entropy.toml does not work here: `sh -c ")
    assert "ended with exit status 4. It has no way out to package indexes; " in outcome.summary
    assert "ENTROPY_SANDBOX__EGRESS__INDEXES=true" in outcome.summary
    assert [(piece.exit_status, piece.output) for piece in outcome.evidence] == [(4, "nothing to be had")]


def test_with_a_way_out_it_may_come_out_differently_the_next_time(
    tools: Toolbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("out")  # short, as a socket's path has to be
    sandbox = tools.settings.sandbox
    egress = sandbox.egress.model_copy(update={"setup_hosts": ("index.example.com",), "directory": out})
    tools.settings = tools.settings.model_copy(update={"sandbox": sandbox.model_copy(update={"egress": egress})})
    outcome = worked(tools, ("false",))
    assert outcome.verdict is Verdict.FAILED
    assert outcome.summary.endswith("Correct it there, or see whether what it asks for can be had.")


def test_what_is_not_kept_is_said_in_one_sentence(tools: Toolbox) -> None:
    outcome = worked(tools, ("mkfifo", "pipe"))
    assert outcome.verdict is Verdict.GAVE_UP
    assert (
        outcome.summary == "The setup made something that is not kept: './pipe' is neither a file, a folder nor a link."
    )


def test_lock_files_are_those_of_the_tree_and_rules_those_of_the_base(office: Office, tmp_path: Path) -> None:
    clone, who = (
        tmp_path / "clone",
        {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    )
    office.push("main", author="ada", committer="ada", folder=tmp_path)
    (clone / "locks").mkdir()
    (clone / "locks" / "dev.txt").write_text("six\n")
    config = (clone / ".entropy.toml").read_text()
    (clone / ".entropy.toml").write_text(f"{config}\n[setup]\ncommand = 'true'\nfiles = ['locks/dev.txt']\n")
    git("add", "-A", at=clone)
    git("commit", "-qm", "Name what is needed", at=clone, more=who)
    git("push", "-q", "origin", "main", at=clone)
    run = office.claimed(office.initialized(office.filed("recipe:1", "entropy:code")))
    assert run.outcome is None, run.outcome
    given = assignment_of(run, office.tools)
    assert given.locks is not None
    assert office.tools.artifacts.get(run.id, given.locks) == locks_of({"locks/dev.txt": b"six\n"})
    git("rm", "-q", "locks/dev.txt", at=clone)
    git("commit", "-qm", "Forget it", at=clone, more=who)
    git("push", "-q", "origin", "main", at=clone)
    mirror = office.tools.mirror("coder", NAME)
    mirror.fetch()
    bare = given.model_copy(update={"base_commit": mirror.commit_of("main"), "locks": None})
    with pytest.raises(ConfigurationError, match=r"names locks/dev.txt, which is no file at [0-9a-f]{12}; add it"):
        save_locks(run, bare, mirror, office.tools)
