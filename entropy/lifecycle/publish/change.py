"""Publishing a patch: validated, committed on the control side, pushed with a lease, proposed as a pull request."""

from entropy.errors import IllegalStep, PolicyViolation
from entropy.github.client import GitHub
from entropy.items import Assignment
from entropy.lifecycle.adoption import branch_stem
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.publish.prose import details, evidence_block
from entropy.lifecycle.publish.status import say
from entropy.models import Outcome, Published, Run
from entropy.repository.mirror import Mirror
from entropy.repository.patch import PatchRules
from entropy.wiring import Toolbox


def publish_change(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Push the patch and see to its pull request."""
    assignment = assignment_of(run, tools)
    forge = tools.github(run.role)
    mirror = tools.mirror(run.role, run.item.repository)
    mirror.fetch()
    commit = _commit(run, outcome, assignment, mirror, tools)
    if assignment.item.pull_request is not None:
        return _rework(run, outcome, assignment, commit, tools)
    branch, expected = _branch(run, commit, forge, mirror)
    if expected != commit:
        tools.intents.once(run, "push", lambda: _push(mirror, commit, branch, expected))
    number = tools.intents.once(run, "pull_request", lambda: _propose(run, outcome, assignment, branch, tools))
    say(run, tools, f"Proposed as #{number}.", intent="notice", progress=run.progress)
    return Published(branch=branch, pull_request=int(number), commit=commit)


def _push(mirror: Mirror, commit: str, branch: str, expected: str | None) -> str:
    mirror.push(commit, branch, expected=expected)
    return commit


def _propose(run: Run, outcome: Outcome, assignment: Assignment, branch: str, tools: Toolbox) -> str:
    number = tools.github(run.role).pulls.ensure(
        run.item.repository,
        branch=branch,
        base=assignment.base_branch,
        title=assignment.item.title,
        body=_body(run, outcome),
    )
    return str(number)


def _commit(run: Run, outcome: Outcome, assignment: Assignment, mirror: Mirror, tools: Toolbox) -> str:
    if outcome.patch is None:
        raise IllegalStep(f"Run {run.id} says that it changed something and has no patch.")
    recipe = assignment.config.recipe_for(assignment.item.labels)
    return mirror.commit_patch(
        assignment.base_commit,
        tools.artifacts.get(run.id, outcome.patch),
        message=f"{assignment.item.title}\n\n{outcome.summary}\n\nEntropy-Run: {run.id}\n",
        identity=tools.github(run.role).identity(),
        when=run.created,
        rules=PatchRules(
            paths=recipe.paths if recipe else ("**",),
            max_files=tools.settings.repository.max_files,
        ),
    )


def _branch(run: Run, commit: str, forge: GitHub, mirror: Mirror) -> tuple[str, str | None]:
    """The branch for an issue's change, and the commit it is expected to be at.

    The name follows from the issue and from how many earlier proposals were closed, so a repeated run finds its own.
    """
    stem = branch_stem(run.item.number)
    attempt = 1
    while True:
        branch = stem if attempt == 1 else f"{stem}-{attempt}"
        pulls = forge.pulls.find(run.item.repository, branch=branch)
        if any(pull.head_commit == commit for pull in pulls):
            return branch, commit  # an earlier try of this run came so far, whatever became of it since
        standing = next((pull for pull in pulls if pull.open), None)
        if standing is not None:
            raise PolicyViolation(
                f"Pull request #{standing.number} is already open for this issue. Label that one to have it "
                "reworked, or close it and label this issue again."
            )
        if not pulls:
            return branch, mirror.tip_of(branch)
        attempt += 1


def _rework(run: Run, outcome: Outcome, assignment: Assignment, commit: str, tools: Toolbox) -> Published:
    """Push onto the pull request's own branch, and say in one comment what was done."""
    forge = tools.github(run.role)
    pull = assignment.item.pull_request
    if pull is None or pull.head_repository != run.item.repository or pull.author != forge.identity().login:
        raise PolicyViolation("This pull request's branch is not the agent's own; only its author may change it.")
    mirror = tools.mirror(run.role, run.item.repository)
    tools.intents.once(run, "push", lambda: _push(mirror, commit, pull.head_branch, assignment.base_commit))
    text = [f"**Reworked** in {commit}.", outcome.summary, evidence_block(outcome.evidence), details(run, outcome)]
    say(run, tools, "\n\n".join(part for part in text if part), intent="notice", progress=run.progress)
    return Published(branch=pull.head_branch, pull_request=pull.number, commit=commit)


def _body(run: Run, outcome: Outcome) -> str:
    parts = [
        f"Closes #{run.item.number}",
        outcome.summary,
        "### How it was tested\n\n" + evidence_block(outcome.evidence) if outcome.evidence else "",
        details(run, outcome),
    ]
    return "\n\n".join(part for part in parts if part)
