"""What is different where gVisor's kernel, and not the machine's, answers what untrusted work asks for."""

from entropy.sandbox import canaries
from entropy.sandbox.canaries import EXCESSES, Guarantee
from entropy.sandbox.interface import Sandbox

RUNTIME = "runsc"
PIDS = 1024
"""Its own threads count, and at the bound they all end, not the one that is too much."""
ANSWERED = frozenset(
    {
        Guarantee.IO_URING,
        Guarantee.TRACING,
        Guarantee.KEYRINGS,
        Guarantee.NAMESPACES,
        Guarantee.FAULTS,
        Guarantee.OTHER_ENTRIES,
    }
)
"""Filters against system calls that do not reach the machine's kernel there."""
BEYOND = "i=0; while [ $i -lt 1100 ]; do sleep 60 & i=$((i + 1)); done"


def missing(sandbox: Sandbox) -> list[Guarantee]:
    """As `canaries.missing`, of what counts here."""
    found = canaries.missing(sandbox, {**EXCESSES, Guarantee.PROCESSES: BEYOND})
    return [guarantee for guarantee in found if guarantee not in ANSWERED]
