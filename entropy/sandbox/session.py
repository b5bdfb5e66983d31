"""One sandbox in use: the order of its calls and the clock that runs over them."""

import io
import time
from collections.abc import Sequence
from typing import BinaryIO

from entropy.errors import IllegalStep, PolicyViolation
from entropy.sandbox import collector, packing, snapshot
from entropy.sandbox.command import Cell, Command
from entropy.sandbox.egress.outlet import Outlet
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.interface import ExecResult
from entropy.sandbox.policy import KIB, SandboxPolicy

EMPTY = bytes(KIB)
"""A tar of no files."""


class Session:
    """The `Sandbox` over any backend's cell."""

    def __init__(self, cell: Cell, policy: SandboxPolicy, outlet: Outlet | None = None) -> None:
        self._cell = cell
        self._policy = policy
        self._outlet = outlet or Outlet()
        self._deadline = time.monotonic() + policy.stage_seconds
        self._tree: BinaryIO | None = None
        self._patch: bytes | None = None
        self.kept = False

    def put(self, tree: bytes | BinaryIO) -> None:
        if self._tree is not None:
            raise IllegalStep("The workspace was filled before; open another sandbox.")
        file = io.BytesIO(tree) if isinstance(tree, bytes) else tree
        snapshot.check(file, self._policy)
        self._tree = file
        result = self.exec(snapshot.UNPACK, stdin=file)
        if result.exit_status != 0:
            raise PolicyViolation(f"The snapshot cannot be unpacked: {result.stderr.strip()[-KIB:]}")

    def exec(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | BinaryIO = b"",
        timeout: float | None = None,
        phase: Phase = Phase.TEST,
    ) -> ExecResult:
        if self._patch is not None:
            raise IllegalStep("The sandbox was collected; open another one.")
        limits = [self._policy.command_seconds, max(0.0, self._deadline - time.monotonic())]
        seconds = min(limits if timeout is None else [*limits, timeout])
        half = self._policy.output // 2
        with self._outlet.open(phase) as words:
            command = Command([*words, *argv], stdin=stdin, seconds=seconds, keep=(half, half))
            return self._cell.work(command).result(command)

    def collect(self) -> bytes:
        if self._patch is None:
            self._patch = collector.collect(self._cell, self._tree or EMPTY, self._policy)
        return self._patch

    def pack(self, into: BinaryIO) -> int:
        """Kill everything inside, then write the workspace as a tar; the size of its files in bytes.

        Raises `PolicyViolation` for what no dependency cache may hold.
        """
        self._patch = b""
        return packing.pack(self._cell, into, self._policy)

    def keep(self) -> None:
        self.kept = True
