"""What a sandbox is, whichever backend makes it."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from entropy.models import Noun
from entropy.sandbox.belongings import Belonging
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.policy import SandboxPolicy


class ExecResult(Noun):
    """What came of one command in a sandbox."""

    exit_status: int | None
    """None when the command was killed at its time limit."""
    stdout: str
    stderr: str
    timed_out: bool = False
    truncated: bool = False
    """Whether output was dropped between head and tail."""
    seconds: float = 0.0


class Sandbox(Protocol):
    """An isolated place with one workspace, alive inside the ``with`` of `Backend.open`."""

    def put(self, tree: bytes | BinaryIO) -> None:
        """Unpack a tar of tracked files into the empty workspace; called once, first.

        A file has to stay open and as it is until the sandbox is closed: `collect` compares with it.
        """

    def exec(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float | None = None, phase: Phase = Phase.TEST
    ) -> ExecResult:
        """Run a command in the workspace; ``timeout`` in seconds, at most the policy's.

        There is a way out only while it runs, and only as far as the operator's rules for its phase lead.
        """

    def collect(self) -> bytes:
        """Kill everything inside, then return the difference to the tree that was put, as a binary git patch.

        Empty when nothing differs. Raises `PolicyViolation` when the patch is larger than the policy allows.
        """

    def keep(self) -> None:
        """Leave what is in the workspace for somebody to look at; the reaper removes it when the run is over."""


class Backend(Protocol):
    """A way to make sandboxes."""

    name: str

    def preflight(self) -> tuple[str, ...]:
        """Try in a sandbox what must not be possible; returns the bounds that this weaker backend lacks here.

        Raises `SandboxUnavailable` or `ConfigurationError`, saying what is missing and the next step. A verdict is
        remembered; `open` asks for it, too.
        """

    def open(self, run_id: str, policy: SandboxPolicy | None = None) -> AbstractContextManager[Sandbox]:
        """Make a sandbox for one run, with the installation's bounds or those of `policy`.

        On leaving the ``with`` nothing of it is left, unless it was to be kept.
        """

    def reap(self, live: AbstractSet[str]) -> list[str]:
        """Remove what belongs to runs that are not in `live`; returns the names of what was removed."""

    def clear(self) -> None:
        """Remove everything of this installation, for whoever knows that no worker is left, nor a preflight."""

    def belongings(self) -> list[Belonging]:
        """What there is of sandboxes of this installation, live or not."""
