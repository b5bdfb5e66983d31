"""The demo from its first process to its last: the only place that knows the order."""

import signal
from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from entropy.cli.demo import (
    environment,
    installation,
    people,
    redis_server,
    sandbox_choice,
    servers,
    vault_server,
    watch,
)
from entropy.cli.demo.folder import folder
from entropy.cli.demo.installation import Installation
from entropy.cli.demo.person import Person
from entropy.cli.demo.processes import Children
from entropy.cli.demo.screen import Screen
from entropy.cli.demo.seed import Seed, seeds
from entropy.cli.demo.signals import Interrupted, interruptible
from entropy.cli.demo.summary import Summary
from entropy.models import Noun, WorkItem


class Wishes(Noun):
    """What the person asked for on the command line."""

    keep: bool
    vault: bool
    sandbox: sandbox_choice.Kind | None
    directory: Path | None
    deadline: float
    tools: Path


def play(wishes: Wishes) -> None:
    screen = Screen()
    with interruptible() as interruption, folder(wishes.directory) as place:
        screen.say(f"everything is kept in {place} until the end")
        with ExitStack() as afterwards, Children(place, interruption) as children:
            perform(wishes, children, screen, afterwards)
            screen.say("stopping")
    screen.say("nothing is left")


def perform(wishes: Wishes, children: Children, screen: Screen, afterwards: ExitStack) -> None:
    """`afterwards` takes what has to be done when no process is left."""
    stock = seeds(environment.data())
    running = start(wishes, children, screen, afterwards)
    person = Person(running.api, running.person)
    with closing(watch.connect(running.redis)) as connection:
        with closing(watch.announcements(connection)) as steps, screen.live():
            next(steps)  # listens from here on, before there is anything to hear
            items = [item for seed in stock for item in _file(person, seed, running, screen)]
            watching = watch.Watch(person, items, deadline=wishes.deadline)
            watching.until_merged(steps, children, screen.show)
        screen.say("every issue is merged and closed")
        Summary(connection, person, children.folder / "clones").show(items, screen.console)
    if wishes.keep:
        _keep(running, stock, screen)


def start(wishes: Wishes, children: Children, screen: Screen, afterwards: ExitStack) -> Installation:
    """Each process as soon as what it needs is there: starting them is most of the work of two cores."""
    stock = seeds(environment.data())
    redis = redis_server.start(children)
    forge = installation.start_forge(children, stock)
    redis_server.wait(children, redis)
    shared = installation.shared(children.folder, redis, forge, stock)
    installation.start_control(children, shared, _secrets(wishes, children, forge.tokens))
    chosen = sandbox_choice.choose(children.folder, wanted=wishes.sandbox, tools=wishes.tools, say=screen.say)
    afterwards.callback(chosen.leave_nothing)
    screen.say(f"sandbox: {chosen.kind}")
    installation.start_sandbox(children, shared, chosen)
    flower = servers.start_flower(children, shared)
    servers.wait_for(children, forge.address, what="The forge")
    return Installation(redis, forge.address, flower, forge.person)


def _secrets(wishes: Wishes, children: Children, tokens: Mapping[str, str]) -> environment.Environment:
    if wishes.vault:
        return vault_server.fill(children, vault_server.start(children), tokens)
    place = children.folder / "secrets"
    people.write_tokens(place, tokens)
    return environment.token_files(place)


def _file(person: Person, seed: Seed, running: Installation, screen: Screen) -> list[WorkItem]:
    filed = [person.file(seed.repository, issue) for issue in seed.issue]
    for item, issue in zip(filed, seed.issue, strict=True):
        screen.say(f"filed {running.forge.url}/{item.repository}/issues/{item.number}  {issue.title}")
    return filed


def _keep(running: Installation, stock: tuple[Seed, ...], screen: Screen) -> None:
    flower = running.flower
    screen.say(f"Flower: {flower.url}  user {flower.user}, password {flower.password}")
    for seed in stock:
        screen.say(f"forge:  {running.forge.url}/{seed.repository}")
    screen.say("Ctrl-C ends everything")
    with suppress(Interrupted):
        signal.pause()
