"""Publishing a patch: validated, committed on the control side, delivered to its branch, proposed as a pull request."""

from typing import NamedTuple

from entropy.errors import PolicyViolation
from entropy.github.client import GitHub
from entropy.items import Assignment
from entropy.lifecycle.adoption import branch_stem
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.publish.answers import answer_threads
from entropy.lifecycle.publish.commit import commit_patch
from entropy.lifecycle.publish.concealment import concealed
from entropy.lifecycle.publish.delivery import BranchTip, deliver
from entropy.lifecycle.publish.inert import inert_title
from entropy.lifecycle.publish.prose import details, evidence_block
from entropy.lifecycle.publish.protection import mark, notice, protected
from entropy.lifecycle.publish.status import say
from entropy.models import Outcome, Published, Run
from entropy.repository.mirror import Mirror
from entropy.wiring import Toolbox


class Proposal(NamedTuple):
    """What people read first of a pull request."""

    title: str
    body: str
    draft: bool


def publish_change(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Deliver the patch and see to its pull request."""
    assignment = assignment_of(run, tools)
    mirror = tools.mirror(run.role, run.item.repository)
    mirror.fetch()
    commit = commit_patch(run, outcome, assignment, mirror, tools)
    if assignment.item.pull_request is not None:
        return _rework(run, outcome, assignment, commit, tools)
    delivery = propose(run, commit, assignment, mirror, tools)
    touched = protected(mirror.changed(assignment.base_commit, commit), tools)
    body = body_of(run, outcome, cautions=(notice(touched), concealed(mirror.additions(commit))))
    proposal = Proposal(inert_title(assignment.item.subject), body, tools.settings.reports.draft)
    number = ensure_pull(run, assignment, delivery.branch, proposal, tools)
    mark(run, number, touched, tools)
    say(run, tools, f"{_note(delivery)}Proposed as #{number}.", intent="notice", progress=run.progress)
    return Published(branch=delivery.branch, pull_request=number, commit=delivery.commit)


def propose(run: Run, commit: str, assignment: Assignment, mirror: Mirror, tools: Toolbox) -> BranchTip:
    """Bring the commit to the branch of the issue's next proposal."""
    branch, expected = _branch(run, commit, tools.github(run.role), mirror)
    if expected is not None and _is_at(expected, commit, mirror):
        return BranchTip(branch, expected)
    return deliver(run, BranchTip(branch, commit), expected, mirror, tools)


def ensure_pull(run: Run, assignment: Assignment, branch: str, proposal: Proposal, tools: Toolbox) -> int:
    """The number of the branch's pull request."""

    def open_pull() -> str:
        number = tools.github(run.role).pulls.ensure(
            run.item.repository,
            branch=branch,
            base=assignment.base_branch,
            title=proposal.title,
            body=proposal.body,
            draft=proposal.draft,
        )
        return str(number)

    return int(tools.intents.once(run, "pull_request", open_pull))


def _branch(run: Run, commit: str, forge: GitHub, mirror: Mirror) -> tuple[str, str | None]:
    """The branch for an issue's change, and the commit it is expected to be at.

    The name follows from the issue and from how many earlier proposals were closed, so a repeated run finds its own.
    """
    stem = branch_stem(run.item.number)
    attempt = 1
    while True:
        branch = stem if attempt == 1 else f"{stem}-{attempt}"
        pulls = forge.pulls.find(run.item.repository, branch=branch)
        if there := [pull.head_commit for pull in pulls if _is_at(pull.head_commit, commit, mirror)]:
            return branch, there[0]  # an earlier try of this run came so far, whatever became of it since
        standing = next((pull for pull in pulls if pull.open), None)
        if standing is not None:
            raise PolicyViolation(
                f"Pull request #{standing.number} is already open for this issue. Label that one to have it "
                "reworked, or close it and label this issue again."
            )
        if not pulls:
            return branch, mirror.tip_of(branch)
        attempt += 1


def _is_at(head: str, commit: str, mirror: Mirror) -> bool:
    return head == commit or mirror.is_twin(head, commit)


def _rework(run: Run, outcome: Outcome, assignment: Assignment, commit: str, tools: Toolbox) -> Published:
    """Bring it to the pull request's own branch, answer who asked for it, and say in one comment what was done."""
    forge = tools.github(run.role)
    pull = assignment.item.pull_request
    if pull is None or pull.head_repository != run.item.repository or pull.author != forge.identity().login:
        raise PolicyViolation("This pull request's branch is not the agent's own; only its author may change it.")
    mirror = tools.mirror(run.role, run.item.repository)
    delivery = deliver(run, BranchTip(pull.head_branch, commit), pull.head_commit, mirror, tools)
    touched = protected(mirror.changed(assignment.base_commit, commit), tools)
    mark(run, pull.number, touched, tools)
    if assignment.item.title != assignment.item.subject:
        title = inert_title(assignment.item.subject)
        tools.intents.once(run, "retitle", lambda: forge.pulls.retitle(run.item, title))
    if assignment.threads:
        answer_threads(run, outcome, assignment, delivery.commit, tools)
    how = f"**Made again** on {assignment.base_branch} as it is now," if assignment.afresh else "**Reworked**"
    text = [
        f"{_note(delivery)}{how} in {delivery.commit}.",
        notice(touched),
        concealed(mirror.additions(commit)),
        outcome.summary,
        evidence_block(outcome.evidence),
        details(run, outcome),
    ]
    say(run, tools, "\n\n".join(part for part in text if part), intent="notice", progress=run.progress)
    return Published(branch=pull.head_branch, pull_request=pull.number, commit=delivery.commit)


def _note(delivery: BranchTip) -> str:
    return f"{delivery.remark}\n\n" if delivery.remark else ""


def body_of(run: Run, outcome: Outcome, *, missing: str = "", cautions: tuple[str, ...] = ()) -> str:
    """What people read of a proposal; `missing` says what is left to do, `cautions` what to look at first."""
    parts = [
        f"Closes #{run.item.number}",
        *cautions,
        f"### What is missing\n\n{missing}" if missing else "",
        f"### What was done, and why\n\n#{run.item.number} asks for this. {outcome.summary}",
        "### How it was tested\n\n" + evidence_block(outcome.evidence) if outcome.evidence else "",
        details(run, outcome),
    ]
    return "\n\n".join(part for part in parts if part)
