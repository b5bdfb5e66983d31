"""Publishing a review: the check and the verdict at the commit that was looked at."""

import logging
from typing import Literal

from entropy.agents.roles.merger import TESTS_CHECK
from entropy.errors import ForgeConflict, ForgeRefused
from entropy.github.checks import CheckReport
from entropy.items import Assignment, PullRequest
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.feedback import is_agents
from entropy.lifecycle.publish.notice import publish_notice
from entropy.lifecycle.publish.prose import details, evidence_block
from entropy.lifecycle.publish.status import say
from entropy.lifecycle.trust import BOT
from entropy.models import Outcome, Published, Run, Verdict
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

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
    if pull.draft and outcome.verdict is Verdict.APPROVED and is_agents(assignment.item, tools):
        tools.intents.once(run, "ready", lambda: _mark_ready(run, pull, tools))
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
        body=_text(run, outcome),
        findings=outcome.findings,
    )
    return str(outcome.verdict)


def _mark_ready(run: Run, pull: PullRequest, tools: Toolbox) -> str:
    tools.github(run.role).pulls.mark_ready(run.item, pull.node)
    return pull.node


def _set_check(run: Run, outcome: Outcome, commit: str, tools: Toolbox) -> str:
    """As a check run, which shows each finding at its line; as a commit status where only Apps may make check runs."""
    green = all(piece.exit_status == 0 for piece in outcome.evidence)
    state: Literal["success", "failure"] = "success" if green else "failure"
    title = "The tests pass." if green else "The tests fail."
    forge, repository = tools.github(run.role), run.item.repository
    if forge.identity().login.endswith(BOT):
        report = CheckReport(
            id=run.id, conclusion=state, title=title, summary=_text(run, outcome), findings=outcome.findings
        )
        try:
            forge.checks.ensure_run(repository, commit=commit, name=TESTS_CHECK, report=report)
            return state
        except ForgeRefused as refusal:
            log.warning("no check run, a commit status instead", extra={"why": str(refusal)})
    forge.checks.set_status(repository, commit=commit, context=TESTS_CHECK, state=state, description=title)
    return state


def _text(run: Run, outcome: Outcome) -> str:
    return "\n\n".join([outcome.summary, evidence_block(outcome.evidence), details(run, outcome)])


def _rounds(assignment: Assignment) -> int:
    pull = assignment.item.pull_request
    return sum(review.state == "CHANGES_REQUESTED" for review in pull.reviews) if pull else 0


def _ask_a_person(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    rounds = tools.settings.scheduling.max_reworks
    summary = f"This pull request was sent back {rounds} times and is still not right. Please have a look."
    return publish_notice(run, outcome.model_copy(update={"summary": summary, "evidence": ()}), tools)
