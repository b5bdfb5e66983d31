"""What an agent hears of people: those without permission are left out, or marked, before it is told of an item."""

from typing import TypeVar

from entropy.items import Comment, Item, Review
from entropy.lifecycle.trust import may_command
from entropy.models import Run
from entropy.wiring import Toolbox

Words = TypeVar("Words", Comment, Review)


def vetted(item: Item, run: Run, tools: Toolbox) -> Item:
    """The item with each comment and review marked; those of people without permission only where a setting says so."""
    heard = {author for author in sorted(_authors(item)) if may_command(author, run.item.repository, run.role, tools)}
    keep_all = tools.settings.trust.comments == "mark"
    pull = item.pull_request
    if pull is not None:
        pull = pull.model_copy(update={"reviews": _marked(pull.reviews, heard, keep_all=keep_all)})
    return item.model_copy(update={"comments": _marked(item.comments, heard, keep_all=keep_all), "pull_request": pull})


def _marked(words: tuple[Words, ...], heard: set[str], *, keep_all: bool) -> tuple[Words, ...]:
    return tuple(
        word.model_copy(update={"trusted": word.author in heard}) for word in words if keep_all or word.author in heard
    )


def _authors(item: Item) -> set[str]:
    reviews = item.pull_request.reviews if item.pull_request else ()
    return {word.author for word in item.comments} | {word.author for word in reviews}
