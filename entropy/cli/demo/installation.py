"""A whole Entropy on one machine: the forge with its repositories, and each process with what it may have."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from entropy.cli.demo import environment, people, servers
from entropy.cli.demo.environment import Environment
from entropy.cli.demo.processes import Children
from entropy.cli.demo.redis_server import RedisServer
from entropy.cli.demo.sandbox_choice import Choice
from entropy.cli.demo.seed import Seed, unpack
from entropy.cli.demo.servers import Address


class Installation(NamedTuple):
    """What is running."""

    redis: RedisServer
    forge: Address
    flower: Address
    person: str
    """The person's token."""

    @property
    def api(self) -> str:
        return f"{self.forge.url}/api/v3"


class Forge(NamedTuple):
    """The forge, filled, and the tokens that it gave out."""

    address: Address
    person: str
    tokens: dict[str, str]


def start_forge(children: Children, seeds: Sequence[Seed]) -> Forge:
    """Start it, and import the repositories while it is starting."""
    from entropy.forge.store import Store

    data = children.folder / "forge"
    address = servers.start_forge(children, data)
    with Store(data) as store:
        for seed in seeds:
            tree = unpack(seed, environment.data(), children.folder / "sources")
            store.import_repository(tree, seed.repository)
        person, tokens = people.enrol(store, [seed.repository for seed in seeds])
    return Forge(address, person, dict(tokens))


def start_control(children: Children, shared: Environment, secrets: Environment) -> None:
    """All that holds a token or needs neither token nor sandbox."""
    servers.start_worker(
        children, "control", servers.CONTROL_QUEUES, environment.control(shared, children.folder, secrets)
    )
    servers.start_beat(children, shared)
    servers.start_reaper(children, shared)


def start_sandbox(children: Children, shared: Environment, sandbox: Choice) -> None:
    environment_of_agents = environment.untrusted(shared, sandbox.environment)
    servers.start_worker(children, "sandbox", servers.SANDBOX_QUEUES, environment_of_agents)


def shared(folder: Path, redis: RedisServer, forge: Forge, seeds: Sequence[Seed]) -> Environment:
    return environment.common(
        folder,
        redis=redis,
        api=f"{forge.address.url}/api/v3",
        repositories=[seed.repository for seed in seeds],
    )
