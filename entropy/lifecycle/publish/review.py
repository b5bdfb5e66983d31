"""Publishing a review: the check and the verdict at the commit that was looked at."""

from entropy.agents.roles.merger import TESTS_CHECK
from entropy.errors import ForgeConflict
from entropy.items import Assignment
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.publish.notice import publish_notice
from entropy.lifecycle.publish.prose import details, evidence_block
from entropy.lifecycle.publish.status import say
from entropy.models import Outcome, Published, Run, Verdict
from entropy.wiring import Toolbox

SAID = {Verdict.APPROVED: "Approved", Verdict.CHANGES_REQUESTED: "Changes requested"}


def publish_review(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Set the check, write the review; after too many rounds ask a person instead of the coder."""
    assignment = assignment_of(run, tools)
    pull = assignment.item.pull_request
    if pull is None:
        raise ForgeConflict(f"{run.item} is not a pull request; there is nothing to review.")
    if outcome.evidence:
        tools.intents.once(run, "check", lambda: _set_check(run, outcome, pull.head_commit, tools))
    tools.intents.once(run, "review", lambda: _review(run, outcome, pull.head_commit, tools))
    if outcome.verdict is Verdict.CHANGES_REQUESTED and _rounds(assignment) >= tools.settings.scheduling.max_reworks:
        return _ask_a_person(run, outcome, tools)
    say(run, tools, f"{SAID[outcome.verdict]} at {pull.head_commit}.", intent="notice", progress=run.progress)
    return Published(pull_request=pull.number, commit=pull.head_commit)


def _review(run: Run, outcome: Outcome, commit: str, tools: Toolbox) -> str:
    tools.github(run.role).reviews.ensure(
        run.item,
        marker=f"entropy:review:{commit}",
        commit=commit,
        verdict=outcome.verdict,
        body="\n\n".join([outcome.summary, evidence_block(outcome.evidence), details(run, outcome)]),
        findings=outcome.findings,
    )
    return str(outcome.verdict)


def _set_check(run: Run, outcome: Outcome, commit: str, tools: Toolbox) -> str:
    green = all(piece.exit_status == 0 for piece in outcome.evidence)
    tools.github(run.role).reviews.set_status(
        run.item.repository,
        commit=commit,
        context=TESTS_CHECK,
        state="success" if green else "failure",
        description="The tests pass." if green else "The tests fail.",
    )
    return "success" if green else "failure"


def _rounds(assignment: Assignment) -> int:
    pull = assignment.item.pull_request
    return sum(review.state == "CHANGES_REQUESTED" for review in pull.reviews) if pull else 0


def _ask_a_person(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    rounds = tools.settings.scheduling.max_reworks
    summary = f"This pull request was sent back {rounds} times and is still not right. Please have a look."
    return publish_notice(run, outcome.model_copy(update={"summary": summary, "evidence": ()}), tools)
