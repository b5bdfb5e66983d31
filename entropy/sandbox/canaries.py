"""What a sandbox must not be able to do, tried in a sandbox of its own kind: what a daemon promises is no proof."""

import io
import secrets
import signal
import socket
import struct
import tarfile
from collections.abc import Iterator, Mapping
from enum import StrEnum

from entropy.errors import ConfigurationError
from entropy.sandbox.backends.machine_code import HERE, MACHINES, RESULT, SystemCall, i386_program, program
from entropy.sandbox.interface import Sandbox
from entropy.sandbox.policy import MIB, SandboxPolicy

BOUNDS = {
    "memory": 128 * MIB,
    "workspace": 16 * MIB,
    "tmp": 16 * MIB,
    "pids": 32,
    "inodes": 256,
    "stage_seconds": 300.0,
}
"""Small enough to be hit in no time, but for the last."""
PREFLIGHT = "preflight-"
"""How the name of a sandbox begins that is opened for no run; no reaper takes it while it is at work."""


class Guarantee(StrEnum):
    """What a sandbox has to have, in words that complete "it does not have ..."."""

    TOOLS = "the tools it needs: sh, git, tar, head, tail, grep, mktemp and uname"
    MEMORY = "a limit of memory for all its processes together"
    SIZE = "a limit for the size of the workspace"
    SCRATCH = "a limit for the size of /tmp"
    FILES = "a limit for the number of files in the workspace"
    PROCESSES = "a limit for the number of processes"
    PROCESSOR = "a limit of processor time for all its processes together"
    """Told by whoever sets it; a machine that is busy cannot tell."""
    NETWORK = "the absence of a network"
    VSOCK = "a filter against AF_VSOCK sockets, which lead to the machine's host"
    IO_URING = "a filter against io_uring"
    TRACING = "a filter against tracing other processes"
    KEYRINGS = "a filter against keyrings"
    NAMESPACES = "a filter against user namespaces"
    FAULTS = "a filter against userfaultfd"
    OTHER_ENTRIES = "a filter against the system calls of 32-bit programs"


HALF = "head -c 80m /dev/zero | tail -c 79m"
"""More than half of the memory, held until the last byte of it is read."""
FILL = "for part in 1 2 3; do head -c 12m /dev/zero > $part || exit 1; done"
TWO_HALVES = f"{79 * MIB}\n{79 * MIB - 1}"
TOOLS = "for tool in git tar head tail grep mktemp uname; do command -v $tool || exit 1; done"
EXCESSES = {
    Guarantee.MEMORY: f'[ "$({HALF} | {{ head -c 1 > /dev/null; {HALF} | wc -c; wc -c; }})" = "{TWO_HALVES}" ]',
    Guarantee.SIZE: FILL,
    Guarantee.SCRATCH: f"trap 'rm /tmp/?' EXIT; cd /tmp && {FILL}",
    Guarantee.FILES: "rm -f ?; i=0; while [ $i -lt 300 ]; do : > f$i || exit 1; i=$((i + 1)); done",
    # Last: what it starts stays.
    Guarantee.PROCESSES: "i=0; while [ $i -lt 64 ]; do sleep 60 & i=$((i + 1)); done",
}

NOWHERE = struct.pack("!HH4s8x", socket.AF_INET << 8, 9, socket.inet_aton("192.0.2.1"))
"""An address for documentation; to connect a datagram socket sends nothing, it only asks for a route."""
GETPID = (39, 172)
X32 = 0x4000_0000
NEW_USER = 0x1000_0000
SESSION_KEYRING = -3

CALLS: Mapping[str, tuple[Guarantee, tuple[SystemCall, ...], bytes]] = {
    "route": (
        Guarantee.NETWORK,
        (SystemCall((41, 198), (2, 2, 0)), SystemCall((42, 203), (RESULT, HERE, 16))),
        NOWHERE,
    ),
    "vsock": (Guarantee.VSOCK, (SystemCall((41, 198), (40, 1, 0)),), b""),
    "io_uring": (Guarantee.IO_URING, (SystemCall((425, 425), (1, HERE)),), b""),
    "ptrace": (Guarantee.TRACING, (SystemCall((101, 117), (0, 0, 0, 0)),), b""),
    "process_vm": (Guarantee.TRACING, (SystemCall(GETPID), SystemCall((310, 270), (RESULT, 0, 0, 0, 0, 0))), b""),
    "keyctl": (Guarantee.KEYRINGS, (SystemCall((250, 219), (0, SESSION_KEYRING, 0)),), b""),
    "unshare": (Guarantee.NAMESPACES, (SystemCall((272, 97), (NEW_USER,)),), b""),
    "clone": (Guarantee.NAMESPACES, (SystemCall((56, 220), (NEW_USER | signal.SIGCHLD, 0, 0, 0, 0)),), b""),
    "userfaultfd": (Guarantee.FAULTS, (SystemCall((323, 282), (1,)),), b""),
}
X32_GETPID = SystemCall((X32 | GETPID[0], 0))
TRY_ALL = 'cd "$(mktemp -d)" && tar -xf - && for name in *; do ./"$name"; echo "$name $?"; done && rm -rf "$PWD"'
REFUSED = {0, 128 + signal.SIGSYS, 128 + signal.SIGSEGV}


def missing(sandbox: Sandbox, excesses: Mapping[Guarantee, str] = EXCESSES) -> list[Guarantee]:
    """What a sandbox with a policy within `BOUNDS` does not have; it is of no use afterwards."""
    if not _succeeds(sandbox, TOOLS):
        return [Guarantee.TOOLS]  # nothing else can be tried
    found = list(dict.fromkeys(_tried(sandbox)))
    return found + [guarantee for guarantee, script in excesses.items() if _succeeds(sandbox, script)]


def preflight_name() -> str:
    return f"{PREFLIGHT}{secrets.token_hex(4)}"


def bounds(policy: SandboxPolicy) -> SandboxPolicy:
    return policy.model_copy(update=BOUNDS)


def programs(machine: str) -> dict[str, tuple[Guarantee, bytes]]:
    """What is tried on this kind of machine, by name."""
    found = {name: (guarantee, program(machine, calls, data=data)) for name, (guarantee, calls, data) in CALLS.items()}
    if machine == "x86_64":
        found["x32"] = (Guarantee.OTHER_ENTRIES, program(machine, [X32_GETPID]))
        found["i386"] = (Guarantee.OTHER_ENTRIES, i386_program())
    return found


def _tried(sandbox: Sandbox) -> Iterator[Guarantee]:
    machine = sandbox.exec(["uname", "-m"]).stdout.strip()
    if machine not in MACHINES:
        raise ConfigurationError(f"Sandboxes run on {' and '.join(MACHINES)}, and this machine is a {machine!r}.")
    tried = programs(machine)
    archive = _tar({name: content for name, (_, content) in tried.items()})
    result = sandbox.exec(["sh", "-c", TRY_ALL], stdin=archive, timeout=60)
    statuses = dict(line.split() for line in result.stdout.splitlines() if line.count(" ") == 1)
    for name, (guarantee, _) in tried.items():
        if int(statuses.get(name, -1)) not in REFUSED:
            yield guarantee


def _succeeds(sandbox: Sandbox, script: str) -> bool:
    return sandbox.exec(["sh", "-c", script], timeout=60).exit_status == 0


def _tar(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.mode, info.size = 0o755, len(content)
            archive.addfile(info, io.BytesIO(content))
    return packed.getvalue()
