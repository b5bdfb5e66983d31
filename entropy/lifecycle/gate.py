"""The gate: whether somebody who may has asked for a run, on a text that they have seen. The cheapest rule first."""

import hashlib
import json
import logging
from collections.abc import Callable

from entropy.agents.evidence import quote
from entropy.errors import ForgeUnavailable
from entropy.github.timeline import TimelineEvent, labelling
from entropy.items import Item
from entropy.lifecycle.conclude import conclude
from entropy.lifecycle.handover import handover
from entropy.lifecycle.signs import resting
from entropy.lifecycle.trust import BOT, is_allowed_bot, is_ours, may_write
from entropy.models import Run, Verdict
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)


def gate(run: Run, item: Item, tools: Toolbox) -> Run:
    """The run with a digest of the text that was approved; or concluded, with what a person is to read."""
    if obsolete := _obsolete(run, item):
        return conclude(run, Verdict.SUPERSEDED, obsolete)
    for rule in RULES:
        if objection := rule(run, item, tools):
            log.warning("not obeyed", extra={"rule": rule.__name__.strip("_"), "why": objection})
            return conclude(run, Verdict.UNTRUSTED, objection)
    if found := handover(item, run.role, tools):
        return conclude(run, Verdict.HANDED_OVER, found.sentence)
    return run.evolve(approved=digest(item))


def digest(item: Item) -> str:
    """Of what a person reads before they hand the item to an agent."""
    return hashlib.sha256(json.dumps([item.title, item.body]).encode()).hexdigest()


def _obsolete(run: Run, item: Item) -> str | None:
    if not item.open:
        return f"{run.item} is closed."
    if run.trigger is None:
        return None  # an operator asked, whatever the labels
    if run.trigger not in item.labels:
        return f"The label {run.trigger} is gone from {run.item}."
    if label := resting(item.labels):
        return f"The label {label} is on {run.item}."
    return None


def _locked(run: Run, item: Item, tools: Toolbox) -> str | None:
    if not item.locked:
        return None
    return f"This conversation is locked. Unlock it, then set {_trigger(run, tools)} again."


def _forked(run: Run, item: Item, tools: Toolbox) -> str | None:
    pull = item.pull_request
    if pull is None or pull.head_repository == item.reference.repository:
        return None
    judges = Verdict.APPROVED in tools.agents.agent(run.role).handoffs
    if judges and tools.settings.trust.review_forks:
        return None
    if judges:
        return (
            "This pull request comes from a fork, and agents do not run what strangers propose. Review it by hand, or "
            "allow it with ENTROPY_TRUST__REVIEW_FORKS=true."
        )
    return "This pull request comes from a fork, and no agent writes on behalf of one. Merge or change it by hand."


def _asked(run: Run, item: Item, tools: Toolbox) -> str | None:
    """Who set the trigger may have; and nobody else has changed the text since."""
    if run.trigger is None:
        return None  # an operator asked, from a shell of the installation
    happenings = tools.github(run.role).timeline.of(run.item)
    asked = labelling(happenings, run.trigger)
    if asked is None:
        raise ForgeUnavailable(f"The forge does not say yet who set {run.trigger} on {run.item}; set it again.")
    return _unentitled(asked, run, tools) or _rewritten(asked, happenings, run, item, tools)


RULES: tuple[Callable[[Run, Item, Toolbox], str | None], ...] = (_locked, _forked, _asked)


def _unentitled(asked: TimelineEvent, run: Run, tools: Toolbox) -> str | None:
    if is_ours(asked.actor, tools) or is_allowed_bot(asked.actor, tools):
        return None
    if asked.bot or asked.actor.endswith(BOT):
        return (
            f"{quote(asked.actor)} set {_trigger(run, tools)} and is a bot that nobody has allowed to. Set the label "
            "by hand, or allow the bot with ENTROPY_TRUST__BOTS."
        )
    if may_write(asked.actor, run.item.repository, run.role, tools):
        return None
    return (
        f"{quote(asked.actor)} set {_trigger(run, tools)} and may not write to this repository. Somebody who may has "
        "to read this and set the label again."
    )


def _rewritten(
    asked: TimelineEvent, happenings: tuple[TimelineEvent, ...], run: Run, item: Item, tools: Toolbox
) -> str | None:
    """Everybody who had a hand in the text since the run was asked for has to be one who may ask for it.

    The last hand is not enough: a bot that appends a link, or a writer who ticks a box of a list, changes the text and
    has not read what a stranger put into it before. Whoever has read it sets the label again, and that begins anew.
    """
    renamed = [each.actor for each in happenings if each.kind == "renamed" and each.at >= asked.at]
    edits = tools.github(run.role).trust.edits(run.item)
    hands = {*renamed, *(each.editor for each in edits if each.at >= asked.at)}
    for editor in sorted(hands):
        if not _may_edit(editor, run, tools):
            return (
                f"{quote(editor)} may not write to this repository and changed the text after {_trigger(run, tools)} "
                "was set. Somebody who may has to read it as it is now and set the label again."
            )
    if run.approved not in (None, digest(item)) and not hands:
        # The text is another than a moment ago, and the forge does not show by whose hand.
        raise ForgeUnavailable(f"The forge does not say yet who changed the text of {run.item}; set the label again.")
    return None


def _may_edit(editor: str, run: Run, tools: Toolbox) -> bool:
    if is_ours(editor, tools) or is_allowed_bot(editor, tools):
        return True
    return may_write(editor, run.item.repository, run.role, tools)


def _trigger(run: Run, tools: Toolbox) -> str:
    return quote(run.trigger or tools.agents.agent(run.role).trigger)
