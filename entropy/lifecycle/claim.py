"""Stage 2: take the item, and freeze what the agent may know of it."""

from entropy.errors import IllegalStep
from entropy.items import Assignment, Item
from entropy.lifecycle.conclude import conclude
from entropy.lifecycle.dependencies import save_locks
from entropy.lifecycle.gate import gate
from entropy.lifecycle.progress import key_of, progress_of
from entropy.lifecycle.publish.status import say
from entropy.lifecycle.surroundings import surroundings
from entropy.lifecycle.tickets import ticket
from entropy.lifecycle.transport import send
from entropy.lifecycle.vetting import vetted
from entropy.models import Progress, Run, Verdict
from entropy.repository.config import parse_config
from entropy.repository.mirror import Mirror
from entropy.wiring import Toolbox

CONFIG = ".entropy.toml"


def claim(run: Run, tools: Toolbox) -> Run:
    """Take the claim; save the assignment and the snapshot of the repository as artifacts."""
    if not tools.claims.take(run):
        return conclude(run, Verdict.SUPERSEDED, f"Another run has {run.item}.")
    item = tools.github(run.role).issues.get(run.item)
    run = gate(run, item, tools)  # minutes may have passed since the first look
    if run.outcome is not None:
        return run
    mirror = tools.mirror(run.role, run.item.repository)
    mirror.fetch()
    assignment = _assignment(run, vetted(item, run, tools), mirror, tools)
    if tools.agents.agent(run.role).uses_sandbox:
        run = _counted(run, assignment, tools)
    if run.outcome is not None:
        return run
    if tools.agents.agent(run.role).uses_sandbox:
        assignment = save_locks(run, assignment, mirror, tools)
    return run.evolve(
        assignment=tools.artifacts.put(run.id, assignment.model_dump_json().encode()),
        snapshot=send(run, assignment, mirror, tools),
    )


def _counted(run: Run, assignment: Assignment, tools: Toolbox) -> Run:
    """The run with its count, which is written down before anything is paid for; parked when the cap is reached."""
    with ticket(run, assignment.item, tools) as item:
        if item is None:
            return conclude(run, Verdict.SUPERSEDED, f"Another installation is at work on {run.item}.")
        return _count(run, item, assignment, tools)


def _count(run: Run, item: Item, assignment: Assignment, tools: Toolbox) -> Run:
    cap = tools.settings.scheduling.max_tries
    login = tools.github(run.role).identity().login
    before = progress_of(item, run.role, login=login, key=key_of(assignment))
    counted = before.run == run.id  # by an earlier try of this stage, whose answer may have been lost
    if not counted and (why := _exhausted(before, tools)):
        return conclude(run, Verdict.PARKED, why).evolve(progress=before)
    here = tools.settings.github.installation
    count = before.count if counted else before.count + 1
    rounds = before.rounds + (before.count == 0)
    progress = Progress(key=before.key, count=count, rounds=rounds, run=run.id, installation=here)
    text = f"The {run.role} is at work (try {progress.count} of {cap} for this item as it stands)."
    say(run, tools, text, intent="status", progress=progress.model_copy(update={"working": True}))
    return run.evolve(progress=progress)


def _exhausted(progress: Progress, tools: Toolbox) -> str | None:
    if progress.count >= tools.settings.scheduling.max_tries:
        return f"It was tried {progress.count} times as it stands, and nothing moved."
    if progress.rounds >= tools.settings.scheduling.max_rounds:
        return f"It has had {progress.rounds} rounds of work and is still not there. Please have a look."
    return None


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
        **surroundings(run, item, tools),
    )
