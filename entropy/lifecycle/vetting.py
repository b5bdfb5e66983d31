"""What an agent hears of people: those without permission are left out, or marked, before it is told of an item."""

from typing import TypeVar

from entropy.github.timeline import labelling
from entropy.items import Comment, Item, Review
from entropy.lifecycle.trust import may_command
from entropy.models import Run
from entropy.wiring import Toolbox

Words = TypeVar("Words", Comment, Review)


def vetted(item: Item, run: Run, tools: Toolbox) -> Item:
    """The item with each comment and review marked; those of people without permission only where a setting says so.

    Labels that such people set after the run was asked for are left out: a label may choose what an agent does.
    """
    heard = {author for author in sorted(_authors(item)) if _has_a_say(author, run, tools)}
    keep_all = tools.settings.trust.comments == "mark"
    pull = item.pull_request
    if pull is not None:
        pull = pull.model_copy(update={"reviews": _marked(pull.reviews, heard, keep_all=keep_all)})
    comments = _marked(item.comments, heard, keep_all=keep_all)
    labels = _approved_labels(item, run, tools)
    return item.model_copy(update={"comments": comments, "pull_request": pull, "labels": labels})


def _has_a_say(login: str, run: Run, tools: Toolbox) -> bool:
    return may_command(login, run.item.repository, run.role, tools)


def _approved_labels(item: Item, run: Run, tools: Toolbox) -> tuple[str, ...]:
    """The labels that were there when the run was asked for, and those that people with permission set since."""
    if run.trigger is None:
        return item.labels
    told = tools.github(run.role).timeline.of(run.item)
    asked = labelling(told, run.trigger)
    since = told[told.index(asked) + 1 :] if asked is not None else told
    hands = {each.label.casefold(): each.actor for each in since if each.label is not None and each.kind == "labeled"}
    return tuple(
        label
        for label in item.labels
        if label.casefold() not in hands or _has_a_say(hands[label.casefold()], run, tools)
    )


def _marked(words: tuple[Words, ...], heard: set[str], *, keep_all: bool) -> tuple[Words, ...]:
    return tuple(
        word.model_copy(update={"trusted": word.author in heard}) for word in words if keep_all or word.author in heard
    )


def _authors(item: Item) -> set[str]:
    reviews = item.pull_request.reviews if item.pull_request else ()
    return {word.author for word in item.comments} | {word.author for word in reviews}
