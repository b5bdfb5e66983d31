"""How each process of the demo is started: its command line, and the file it says its address in, if any."""

import secrets
import sys
from pathlib import Path
from typing import NamedTuple

from entropy.cli.demo.environment import Environment
from entropy.cli.demo.processes import Children
from entropy.cli.demo.redis_server import free_port
from entropy.settings import inherited

CELERY = (sys.executable, "-m", "celery", "-A", "entropy")
CONTROL_QUEUES = "coder.control,reviewer.control,merger.control,scheduling"
SANDBOX_QUEUES = "coder,reviewer,merger"


class Address(NamedTuple):
    """A server of the demo: where it listens, and whom it lets in."""

    port: int
    user: str = ""
    password: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def start_forge(children: Children, data: Path) -> Address:
    """It needs nothing of the others, and knows nothing of them."""
    forge = Address(free_port())
    argv = (*CELERY, "forge", "serve", "--data", str(data), "--port", str(forge.port))
    environment = {**inherited("PATH", "LANG", "TZ"), "HOME": str(children.folder / "home")}
    children.start("forge", argv, environment=environment)
    return forge


def start_worker(children: Children, name: str, queues: str, environment: Environment) -> None:
    options = ("-P", "prefork", "-c", "2", "-E", "--without-mingle", "--without-gossip")  # no neighbours to get to know
    argv = (*CELERY, "worker", "-Q", queues, "-n", f"{name}@demo", *options)
    children.start(name, argv, environment=environment)


def start_beat(children: Children, environment: Environment) -> None:
    children.start("beat", (*CELERY, "beat", "--pidfile="), environment=environment)


def start_reaper(children: Children, environment: Environment) -> None:
    children.start("reaper", (*CELERY, "reaper"), environment=environment)


def start_flower(children: Children, environment: Environment) -> Address:
    """Its password is random, and stands in its environment instead of in the list of processes."""
    flower = Address(free_port(), "demo", secrets.token_urlsafe(12))
    argv = (*CELERY, "flower", "--address=127.0.0.1", f"--port={flower.port}")
    login = {"FLOWER_BASIC_AUTH": f"{flower.user}:{flower.password}"}
    children.start("flower", argv, environment={**environment, **login})
    return flower


def wait_for(children: Children, server: Address, *, what: str) -> None:
    """Until something listens there."""
    import socket

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", server.port)) == 0

    children.wait_until(listens, what=what)
