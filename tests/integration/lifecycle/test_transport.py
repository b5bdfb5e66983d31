"""A snapshot's way: from the mirror through the store into a file, once for all runs of a commit."""

import io
import tarfile
from pathlib import Path

import pytest

from entropy.errors import PolicyViolation
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.transport import receive, send
from entropy.models import Run
from entropy.sandbox.policy import MIB, SandboxPolicy
from entropy.sections import SandboxBounds, SandboxSettings
from entropy.state.compression import pack
from entropy.state.keys import Keys
from tests.integration.lifecycle.office import NAME, Office

pytestmark = pytest.mark.redis
KEYS = Keys("entropy")
POLICY = SandboxPolicy.of(SandboxSettings())


def files(office: Office, run: Run, policy: SandboxPolicy = POLICY) -> list[str]:
    """What a sandbox worker finds in the snapshot of a run."""
    tree = io.BytesIO()
    receive(run, office.tools, into=tree, policy=policy)
    with tarfile.open(fileobj=io.BytesIO(tree.getvalue())) as archive:
        return archive.getnames()


def test_runs_on_one_commit_share_a_snapshot_and_each_commit_has_its_own(office: Office, tmp_path: Path) -> None:
    first, second = (office.claimed(office.initialized(office.filed("entropy:code", "recipe:1"))) for _ in range(2))
    assert first.snapshot == second.snapshot is not None
    tracked = files(office, second)
    assert ".entropy.toml" in tracked
    assert files(office, first) == tracked
    redis = office.tools.connection.redis
    assert len(redis.keys("entropy:object:*")) == 1
    head = office.push("other", author="wanda", committer="wanda", folder=tmp_path)
    mirror = office.tools.mirror("coder", NAME)
    mirror.fetch()
    onward = assignment_of(second, office.tools).model_copy(update={"base_commit": head})
    other = second.evolve(snapshot=send(second, onward, mirror, office.tools))
    assert files(office, other) == sorted([*tracked, "changes.txt"])
    assert len(redis.keys("entropy:object:*")) == 2
    assert redis.exists(KEYS.snapshot(f"{NAME}@{head}"))


def test_history_comes_where_it_is_asked_for_as_far_as_the_operator_allows(office: Office) -> None:
    run = office.claimed(office.initialized(office.filed("entropy:code", "recipe:1")))
    tools, mirror = office.tools, office.tools.mirror("coder", NAME)
    plain = assignment_of(run, tools)
    config = plain.config.model_copy(update={"sandbox": SandboxBounds(history=5)})
    asking = plain.model_copy(update={"config": config})
    assert send(run, asking, mirror, tools) == run.snapshot
    assert not any(name.startswith(".git/") for name in files(office, run))
    sandbox = SandboxSettings(history=9, roles={"reviewer": SandboxBounds(history=0)})
    tools.settings = tools.settings.model_copy(update={"sandbox": sandbox})
    assert send(run, plain, mirror, tools) == run.snapshot
    assert send(run.evolve(role="reviewer"), asking, mirror, tools) == run.snapshot
    found = files(office, run.evolve(snapshot=send(run, asking, mirror, tools)))
    assert {".git/HEAD", ".git/config", ".git/index", ".entropy.toml"} <= set(found)


def test_a_snapshot_that_no_workspace_could_hold_is_not_unpacked(office: Office) -> None:
    run = office.claimed(office.initialized(office.filed("entropy:code", "recipe:1")))
    with pytest.raises(PolicyViolation, match="raise ENTROPY_SANDBOX__WORKSPACE_MIB"):
        files(office, run, POLICY.model_copy(update={"workspace": 1, "inodes": 1}))
    bomb = io.BytesIO()
    pack(io.BytesIO(bytes(40 * MIB)), bomb)
    hit = run.evolve(snapshot=office.tools.artifacts.put(run.id, bomb.getvalue()))
    with pytest.raises(PolicyViolation, match="makes 41943040 bytes, more than"):
        files(office, hit, POLICY.model_copy(update={"workspace": 16 * MIB, "inodes": 256}))
