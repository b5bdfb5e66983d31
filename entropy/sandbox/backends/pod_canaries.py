"""What a Pod must not be able to do, where that differs from a container without a network and with a bound of its own.

A Pod has an address and a route, and its network is denied by whoever puts the cluster's policies into effect, if
anybody does. How many processes it may have is a bound of its node, not of the Pod. And a volume in memory has no bound
for the number of its files, whose memory counts instead.
"""

import ipaddress
import socket
import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from entropy.sandbox import canaries
from entropy.sandbox.backends.machine_code import HERE, RESULT, SystemCall, program
from entropy.sandbox.canaries import EXCESSES, Guarantee
from entropy.sandbox.interface import Sandbox
from entropy.sandbox.policy import SandboxPolicy

BY_FILTER = frozenset({Guarantee.VSOCK, Guarantee.IO_URING, Guarantee.TRACING, Guarantee.OTHER_ENTRIES})
"""What a runtime's default filter may let through, and ours does not."""
LACKED = frozenset({Guarantee.FILES})
SMALL_EXCESSES: Mapping[Guarantee, str] = {
    name: script for name, script in EXCESSES.items() if name is not Guarantee.PROCESSES
}
SECONDS = 3
"""Within which a connection that is not denied is there."""


class Listener(NamedTuple):
    """Where something listens for certain."""

    host: str
    port: int


def bounded(sandbox: Sandbox) -> set[Guarantee]:
    """What a sandbox with the small bounds of `canaries` does not have, but for network and processes."""
    return set(canaries.missing(sandbox, SMALL_EXCESSES)) - {Guarantee.NETWORK}


def unbounded(sandbox: Sandbox, policy: SandboxPolicy, api: str) -> set[Guarantee]:
    """What a sandbox with the policy's own bounds does not have; `api` is the address of the API server."""
    found = set()
    if any(_reaches(sandbox, place) for place in {*_places(api), *_told(sandbox)}):
        found.add(Guarantee.NETWORK)
    script = f"i=0; while [ $i -lt {policy.pids} ]; do sleep 60 & i=$((i + 1)); done"
    if sandbox.exec(["sh", "-c", script], timeout=60).exit_status == 0:
        found.add(Guarantee.PROCESSES)
    return found


def _places(address: str) -> Iterable[Listener]:
    """The API server, by all the addresses that its name has here."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {
        Listener(str(found[4][0]), port) for found in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    }


def _told(sandbox: Sandbox) -> Iterable[Listener]:
    """The API server as every Pod is told of it; a command's environment is another one."""
    told = sandbox.exec(["cat", "/proc/1/environ"]).stdout.split("\0")
    variables = dict(line.partition("=")[::2] for line in told)
    host, port = (variables.get(f"KUBERNETES_SERVICE_{name}", "") for name in ("HOST", "PORT"))
    return {Listener(host, int(port))} if host and port.isdecimal() else ()


def _reaches(sandbox: Sandbox, place: Listener) -> bool:
    machine = sandbox.exec(["uname", "-m"]).stdout.strip()
    address = ipaddress.ip_address(place.host)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    head = struct.pack("=H", family) + struct.pack("!H", place.port)
    data = head + (address.packed.ljust(12, b"\0") if address.version == 4 else bytes(4) + address.packed + bytes(4))
    calls = [SystemCall((41, 198), (family, socket.SOCK_STREAM, 0)), SystemCall((42, 203), (RESULT, HERE, len(data)))]
    script = (
        f"cat > /tmp/call && chmod +x /tmp/call && {{ /tmp/call & call=$!; }}"
        f" && {{ {{ sleep {SECONDS}; kill $call; }} < /dev/null > /dev/null 2>&1 & wait $call; }}"
    )
    return sandbox.exec(["sh", "-c", script], stdin=program(machine, calls, data=data)).exit_status == 1
