"""Stage 4: validate the outcome and make it true on the forge; the label set here hands the item to the next role."""

from collections.abc import Callable, Mapping

from entropy.errors import ForgeConflict, PolicyViolation
from entropy.lifecycle.publish.adopted import publish_adopted
from entropy.lifecycle.publish.change import publish_change
from entropy.lifecycle.publish.disarming import disarmed, overreach
from entropy.lifecycle.publish.incomplete import publish_incomplete
from entropy.lifecycle.publish.merge import publish_merge
from entropy.lifecycle.publish.notice import PARKED, publish_notice
from entropy.lifecycle.publish.outdated import publish_outdated
from entropy.lifecycle.publish.protection import awaited
from entropy.lifecycle.publish.review import publish_review
from entropy.lifecycle.publish.untrusted import publish_handover, publish_untrusted
from entropy.models import Outcome, Published, Run, Verdict, WorkItem
from entropy.wiring import Toolbox

Publisher = Callable[[Run, Outcome, Toolbox], Published]

PUBLISHERS: Mapping[Verdict, Publisher] = {
    Verdict.CHANGED: publish_change,
    Verdict.APPROVED: publish_review,
    Verdict.CHANGES_REQUESTED: publish_review,
    Verdict.MERGEABLE: publish_merge,
    Verdict.OUTDATED: publish_outdated,
    Verdict.UNCHANGED: publish_notice,
    Verdict.GAVE_UP: publish_notice,
    Verdict.REFUSED: publish_notice,
    Verdict.FAILED: publish_notice,
    Verdict.PARKED: publish_notice,
    Verdict.CANCELLED: publish_notice,
    Verdict.ADOPTED: publish_adopted,
    Verdict.INCOMPLETE: publish_incomplete,
    Verdict.UNTRUSTED: publish_untrusted,
    Verdict.HANDED_OVER: publish_handover,
}
"""What each verdict does to the forge; a verdict that is not here changes nothing there."""


def report(run: Run, tools: Toolbox) -> Run:
    """Publish the run's outcome; a refusal on the way becomes the outcome, and a comment says so."""
    outcome = _examined(run, tools)
    publish = PUBLISHERS.get(outcome.verdict)
    if publish is None:
        return run.evolve(outcome=outcome)
    try:
        published = publish(run, outcome, tools)
    except (PolicyViolation, ForgeConflict) as refusal:
        outcome = outcome.model_copy(update={"verdict": Verdict.REFUSED, "summary": str(refusal)})
        published = publish_notice(run, outcome, tools)
    return run.evolve(outcome=outcome, published=_hand_over(run, outcome, published, tools))


def _examined(run: Run, tools: Toolbox) -> Outcome:
    """What may be published of what the run came to; without an assignment no agent had a hand in it."""
    outcome = run.outcome or Outcome(verdict=Verdict.FAILED, summary="The run ended without an outcome.")
    if run.assignment is None:
        return outcome
    if objection := overreach(outcome, tools.agents.agent(run.role)):
        outcome = Outcome(verdict=Verdict.REFUSED, summary=objection, engine=outcome.engine, model=outcome.model)
    if outcome.verdict is Verdict.MERGEABLE and (obstacle := awaited(run, tools)):
        outcome = outcome.model_copy(update={"verdict": Verdict.WAITING, "summary": obstacle})
    return disarmed(outcome)


def _hand_over(run: Run, outcome: Outcome, published: Published, tools: Toolbox) -> Published:
    """Set the next role's label first and remove this role's last: a crash between leaves a label, never none."""
    if published.keeps_trigger:
        return published
    agent = tools.agents.agent(run.role)
    label = published.label or agent.handoffs.get(outcome.verdict)
    issues = tools.github(run.role).issues
    if label is not None:
        _label(run, _target(run, published, label), label, tools)
    if label != agent.trigger:

        def release() -> str:
            issues.relabel(run.item, remove=[agent.trigger])
            return agent.trigger

        tools.intents.once(run, "release", release)
    return published.model_copy(update={"label": label})


def _label(run: Run, target: WorkItem, label: str, tools: Toolbox) -> None:
    def hand_over() -> str:
        tools.github(run.role).issues.relabel(target, add=[label])
        return label

    tools.intents.once(run, "hand_over", hand_over)


def _target(run: Run, published: Published, label: str) -> WorkItem:
    number = published.pull_request if label != PARKED and published.pull_request else run.item.number
    return WorkItem(repository=run.item.repository, number=number)
