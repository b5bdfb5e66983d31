"""One command inside a cell: what goes in, what comes out, how it ended."""

import io
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple, Protocol

from entropy.sandbox.interface import ExecResult
from entropy.sandbox.output import Output


class Command:
    """A command with its time limit in seconds and the buffers for what it prints.

    `stdin` is read from its start, whoever has read it before: a file can be the input of several commands in turn.
    """

    def __init__(
        self, argv: Sequence[str], *, seconds: float, stdin: bytes | BinaryIO = b"", keep: tuple[int, int]
    ) -> None:
        self.argv = tuple(argv)
        self.stdin: BinaryIO = io.BytesIO(stdin) if isinstance(stdin, bytes) else stdin
        self.size = self.stdin.seek(0, io.SEEK_END)
        """How many bytes there are to read."""
        self.stdin.seek(0)
        self.seconds = seconds
        self.stdout = Output(head=keep[0], tail=keep[1])
        self.stderr = Output(head=keep[0], tail=keep[1])


class Ending(NamedTuple):
    """The exit status of a command, None when it was killed at its time limit, and the seconds it took."""

    status: int | None
    seconds: float

    def result(self, command: Command) -> ExecResult:
        return ExecResult(
            exit_status=self.status,
            stdout=command.stdout.text(),
            stderr=command.stderr.text(),
            timed_out=self.status is None,
            truncated=command.stdout.truncated or command.stderr.truncated,
            seconds=round(self.seconds, 3),
        )


class Cell(Protocol):
    """What a backend gives: one workspace, and two kinds of processes that see it."""

    def work(self, command: Command) -> Ending:
        """Run untrusted work, with the workspace writable."""

    def inspect(self, command: Command) -> Ending:
        """Run trusted work where no untrusted process ever was, with the workspace read-only."""

    def kill(self) -> None:
        """End all untrusted work."""
