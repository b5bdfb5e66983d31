"""The machine around the sandboxes: real services, a process with a token, files that nobody inside may read."""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import entropy
from tests.abuse.network import ADDRESSES

GATEWAY = "192.0.2.1"
"""Where no default route says otherwise."""

SERVE = """
import socket, subprocess, sys, threading
addresses, words = sys.argv[1].split(), sys.argv[2:]
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
for address in addresses:
    extra = ["nodad"] if ":" in address else []
    subprocess.run(["ip", "address", "add", address, "dev", "lo", *extra], check=True)
with open("hosts", "w") as hosts:
    hosts.write("127.0.0.1 localhost metadata.google.internal\\n")
subprocess.run(["mount", "--bind", "hosts", "/etc/hosts"], check=True)
servers = [socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
           for port in (80, 2375, 2376, 10250)]
raise SystemExit(subprocess.run(words).returncode)
"""
"""A network of the control's own in which every address of the table is its own, with listeners."""


class Machine(NamedTuple):
    """What the attacks aim at, as they are told of it."""

    target: str
    gateway: str

    @property
    def network(self) -> tuple[str, ...]:
        """The command line that puts a control into a network where the addresses answer."""
        addresses = " ".join({*(address for address, _ in ADDRESSES.values()), self.gateway})
        return ("unshare", "--net", "--mount", "--propagation", "private", sys.executable, "-c", SERVE, addresses)


def _gateway() -> str:
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        _, destination, gateway, *_ = line.split()
        if destination == "00000000":
            return socket.inet_ntoa(bytes.fromhex(gateway)[::-1])
    return GATEWAY


def _addresses() -> list[str]:
    listing = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
    return [address for address in listing if ":" not in address]


def _echo(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data, sender = server.recvfrom(100)
            server.sendto(data, sender)
            if data == b"end":
                return


@contextlib.contextmanager
def _datagrams() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        echo = threading.Thread(target=_echo, args=(server,))
        echo.start()
        yield server.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"end", server.getsockname())
        echo.join()


@contextlib.contextmanager
def _holder(token: str) -> Iterator[None]:
    """A process of the machine with the token in its environment and on its command line."""
    with subprocess.Popen(["sh", "-c", "read -r end", token], env={"TOKEN": token}, stdin=subprocess.PIPE) as process:
        try:
            yield
        finally:
            process.kill()


@contextlib.contextmanager
def running(folder: Path, *, redis_url: str, sandboxes: Path, daemon: str) -> Iterator[Machine]:
    """Everything up and listening; the worker's own environment holds the token too."""
    token = f"canary-{secrets.token_hex(16)}"
    (folder / "credentials").write_text(token)
    before = os.environ.get("GITHUB_TOKEN")
    with contextlib.ExitStack() as stack:
        loopback = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        loopback6 = stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))
        everywhere = stack.enter_context(socket.create_server(("0.0.0.0", 0)))
        abstract, path = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        abstract.bind(f"\0entropy-{token[-8:]}")
        abstract.listen()
        path.bind(str(folder / "socket"))
        path.listen()
        (folder / "socket").chmod(0o666)
        stack.enter_context(_holder(token))
        os.environ["GITHUB_TOKEN"] = token
        target = {
            "loopback": loopback.getsockname()[1],
            "loopback6": loopback6.getsockname()[1],
            "everywhere": everywhere.getsockname()[1],
            "datagram": stack.enter_context(_datagrams()),
            "addresses": _addresses(),
            "abstract": f"entropy-{token[-8:]}",
            "path": str(folder / "socket"),
            "redis": urlsplit(redis_url).port,
            "gateway": _gateway(),
            "daemon": urlsplit(daemon).path,
            "file": str(folder / "credentials"),
            "sandboxes": str(sandboxes),
            "code": entropy.__file__,
            "hostname": socket.gethostname(),
        }
        try:
            yield Machine(json.dumps(target), _gateway())
        finally:
            os.environ.pop("GITHUB_TOKEN")
            if before is not None:
                os.environ["GITHUB_TOKEN"] = before
