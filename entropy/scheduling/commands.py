"""Commands in comments: ``/entropy stop`` at the start of a line, from people who may write to the repository."""

import logging
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from entropy.agents.evidence import quote
from entropy.github.errors import Missing
from entropy.items import Comment, Item
from entropy.lifecycle.progress import OURS
from entropy.lifecycle.trust import is_ours, may_command
from entropy.scheduling import orders
from entropy.scheduling.explanation import explain
from entropy.scheduling.orders import Acknowledgement, Order
from entropy.scheduling.spokesman import spokesman
from entropy.wiring import Toolbox

log = logging.getLogger(__name__)

LINE = re.compile(r"/entropy(?:[ \t]+(\S+)(?:[ \t]+(.*))?)?[ \t]*", re.IGNORECASE)
FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")
MOST = 10
"""Commands of one comment that are obeyed."""

COMMANDS: Mapping[str, Callable[[Order, Toolbox], Acknowledgement]] = MappingProxyType(
    {
        "plan": orders.hand_to_role,
        "code": orders.hand_to_role,
        "review": orders.hand_to_role,
        "rework": orders.rework,
        "retry": orders.retry,
        "stop": orders.stop,
        "pause": orders.pause,
        "resume": orders.resume,
        "approve": orders.approve,
        "explain": explain,
        "budget": orders.budget,
    }
)

LIST = ", ".join(f"`/entropy {word}`" for word in COMMANDS).replace("budget", "budget N")
OUTSIDER = "Agents obey commands of people who may write to this repository, and of nobody else."


class Instruction(NamedTuple):
    word: str
    argument: str


def commands_in(body: str) -> tuple[Instruction, ...]:
    """What a comment asks for, line by line; what is quoted or in a block of code is not meant."""
    found, fence = [], ""
    for line in body.splitlines():
        if mark := FENCE.match(line):
            fence = mark[1] if not fence else "" if mark[1].startswith(fence) else fence
        elif not fence and (match := LINE.fullmatch(line)):
            found.append(Instruction((match[1] or "").lower(), (match[2] or "").strip()))
    return tuple(dict.fromkeys(found))[:MOST]


def obey(item: Item, tools: Toolbox) -> None:
    """Do what the comments ask for and nobody has done yet; each is answered once, whoever else looks."""
    for comment in item.comments:
        commands = commands_in(comment.body)
        # What we write starts with a marker. The account may be a person's own, who commands with it, too.
        if commands and not (comment.body.startswith(OURS) and is_ours(comment.author, tools)):
            item = _once(item, comment, commands, tools)


def _once(item: Item, comment: Comment, commands: tuple[Instruction, ...], tools: Toolbox) -> Item:
    if not tools.people.take(comment.id):
        return item
    over = False
    try:
        item = _unless_answered(item, comment, commands, tools)
        over = True
    except Missing:
        over = True
        log.info("command is gone", extra={"item": str(item.reference), "comment": comment.id})
    finally:
        tools.people.leave(comment.id, obeyed=over)
    return item


def _unless_answered(item: Item, comment: Comment, commands: tuple[Instruction, ...], tools: Toolbox) -> Item:
    """The item after what was done; the reaction says that it was, also to those who forgot."""
    role = spokesman(tools)
    forge = tools.github(role)
    given = forge.reactions.of(item.reference, comment.id)
    if any(each.content in {"rocket", "confused"} and is_ours(each.author, tools) for each in given):
        return item
    if not may_command(comment.author, item.reference.repository, role, tools):
        forge.issues.ensure_comment(item.reference, marker="entropy:commands", body=f"{OUTSIDER}")
        forge.reactions.add(item.reference, comment.id, "confused")
        log.warning("command not obeyed", extra={"item": str(item.reference), "author": comment.author})
        return item
    forge.reactions.add(item.reference, comment.id, "eyes")
    answers = [_done(Order(item, role, command.word, command.argument), tools) for command in commands]
    said = "\n\n".join(answer.text for answer in answers if answer.text)
    if said:
        forge.issues.ensure_comment(item.reference, marker=f"entropy:answer:{comment.id}", body=said)
    refused = any(answer.refused for answer in answers)
    forge.reactions.add(item.reference, comment.id, "confused" if refused else "rocket")
    return forge.issues.get(item.reference)


def _done(order: Order, tools: Toolbox) -> Acknowledgement:
    log.info("command", extra={"item": str(order.item.reference), "command": order.word})
    act = COMMANDS.get(order.word)
    if act is None:
        asked = f"{quote(order.word)} is not a command. " if order.word else ""
        return Acknowledgement(f"{asked}The commands are {LIST}.", refused=bool(order.word))
    return act(order, tools)
