"""Stage 2: take the item, and freeze what the agent may know of it."""

from entropy.errors import IllegalStep
from entropy.lifecycle.conclude import conclude
from entropy.models import Assignment, Item, Run, Verdict
from entropy.repository.config import parse_config
from entropy.repository.mirror import Mirror
from entropy.wiring import Toolbox

CONFIG = ".entropy.toml"


def claim(run: Run, tools: Toolbox) -> Run:
    """Take the claim; save the assignment and the snapshot of the repository as artifacts."""
    if not tools.claims.take(run):
        return conclude(run, Verdict.SUPERSEDED, f"Another run has {run.item}.")
    item = tools.github(run.role).issues.get(run.item)
    mirror = tools.mirror(run.role, run.item.repository)
    mirror.fetch()
    assignment = _assignment(run, item, mirror, tools)
    return run.evolve(
        assignment=tools.artifacts.put(run.id, assignment.model_dump_json().encode()),
        snapshot=tools.artifacts.put(run.id, mirror.snapshot(assignment.base_commit)),
    )


def _assignment(run: Run, item: Item, mirror: Mirror, tools: Toolbox) -> Assignment:
    base_branch = (
        item.pull_request.base_branch
        if item.pull_request
        else tools.github(run.role).repository(run.item.repository).default_branch
    )
    if run.base_commit is None:
        raise IllegalStep(f"Run {run.id} has no base commit.")
    # Rules come from the branch that people merged into, never from the proposal that they are to judge.
    trusted = mirror.commit_of(f"refs/heads/{base_branch}")
    return Assignment(
        run_id=run.id,
        role=run.role,
        item=item,
        base_branch=base_branch,
        base_commit=run.base_commit,
        config=parse_config(mirror.file(trusted, CONFIG)),
        diff=mirror.diff(trusted, run.base_commit) if item.pull_request else "",
    )
