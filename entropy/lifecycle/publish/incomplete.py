"""Publishing a change that a time limit cut off: a draft marked as incomplete, or a patch that is kept with the run."""

from entropy.items import INCOMPLETE
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.publish.change import Proposal, body_of, ensure_pull, propose
from entropy.lifecycle.publish.commit import commit_patch
from entropy.lifecycle.publish.concealment import concealed
from entropy.lifecycle.publish.inert import inert_title
from entropy.lifecycle.publish.notice import PARKED, PARKED_SENTENCE
from entropy.lifecycle.publish.prose import details, evidence_block
from entropy.lifecycle.publish.protection import mark as mark_protected
from entropy.lifecycle.publish.protection import notice, protected
from entropy.lifecycle.publish.status import say
from entropy.models import Outcome, Progress, Published, Run, WorkItem
from entropy.wiring import Toolbox

MISSING = (
    "This is what was there when the time was over: {why} Nobody has tested it as it stands. Finish it by hand, or "
    "take the label `{parked}` away here and set `{trigger}`, and an agent goes on from here."
)


def publish_incomplete(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Say it, show what there is, and park the item."""
    published, where = _kept(run, outcome, tools)
    next_step = PARKED_SENTENCE.format(parked=PARKED, trigger=tools.agents.agent(run.role).trigger)
    parts = (
        f"**The {run.role} ran out of time.**",
        outcome.summary,
        where,
        evidence_block(outcome.evidence),
        next_step,
        details(run, outcome),
    )
    progress = run.progress and Progress(key=run.progress.key, count=0)
    say(run, tools, "\n\n".join(part for part in parts if part), intent="notice", progress=progress)
    return published


def _kept(run: Run, outcome: Outcome, tools: Toolbox) -> tuple[Published, str]:
    assignment = assignment_of(run, tools)
    if assignment.item.pull_request is not None or tools.settings.reports.partial == "artifact":
        where = f"What was done so far is kept for a week: `celery -A entropy runs patch {run.id}` prints it."
        return Published(refusal=outcome.summary, label=PARKED), where
    mirror = tools.mirror(run.role, run.item.repository)
    mirror.fetch()
    commit = commit_patch(run, outcome, assignment, mirror, tools)
    delivery = propose(run, commit, assignment, mirror, tools)
    touched = protected(mirror.changed(assignment.base_commit, commit), tools)
    trigger = tools.agents.agent(run.role).trigger
    missing = MISSING.format(why=outcome.summary, parked=PARKED, trigger=trigger)
    title = inert_title(assignment.item.subject, beginning=INCOMPLETE)
    cautions = (notice(touched), concealed(mirror.additions(commit)))
    proposal = Proposal(title, body_of(run, outcome, missing=missing, cautions=cautions), draft=True)
    number = ensure_pull(run, assignment, delivery.branch, proposal, tools)
    mark_protected(run, number, touched, tools)
    target = WorkItem(repository=run.item.repository, number=number)

    def mark() -> str:
        tools.github(run.role).issues.relabel(target, add=[PARKED])
        return PARKED

    tools.intents.once(run, "mark", mark)
    published = Published(branch=delivery.branch, pull_request=number, commit=delivery.commit, label=PARKED)
    return published, f"What was done so far is proposed as #{number}, a draft."
