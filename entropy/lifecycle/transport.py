"""A snapshot's way from the mirror into a sandbox: packed, kept once for each commit, unpacked within bounds."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from entropy.errors import IllegalStep, TransientError
from entropy.items import Assignment
from entropy.models import Run
from entropy.repository.mirror import Mirror
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxSettings
from entropy.state.compression import pack, unpack
from entropy.wiring import Toolbox

PER_FILE = 2048
"""Bytes of a tar that are not content, for each file: its header, what fills its last block, a long name."""


def send(run: Run, assignment: Assignment, mirror: Mirror, tools: Toolbox) -> str:
    """The digest of an artifact of the run: the packed tar of the commit, made only where nobody has made it yet."""
    history = _history(run, assignment, tools.settings.sandbox)
    commit = mirror.commit_of(assignment.base_commit)
    source = f"{run.item.repository}@{commit}{f'+{history}' if history else ''}"
    known = tools.snapshots.find(run.id, source)
    if known is not None:
        return known
    with _scratch(), tempfile.TemporaryFile() as tree, tempfile.TemporaryFile() as packed:
        mirror.snapshot(commit, into=tree, history=history)
        pack(tree, packed)
        return tools.snapshots.share(run.id, source, packed)


def receive(run: Run, tools: Toolbox, *, into: BinaryIO, policy: SandboxPolicy) -> None:
    """Write the tar of the run's snapshot to a file, unless no workspace of this policy could hold it."""
    if run.snapshot is None:
        raise IllegalStep(f"Run {run.id} has no snapshot.")
    limit = policy.workspace + policy.inodes * PER_FILE
    with _scratch(), tempfile.TemporaryFile() as packed:
        tools.artifacts.read(run.id, run.snapshot, into=packed)
        unpack(packed, into, limit=limit, remedy="raise ENTROPY_SANDBOX__WORKSPACE_MIB")


def _history(run: Run, assignment: Assignment, settings: SandboxSettings) -> int:
    """How many commits the repository asks for and may have."""
    chosen = settings.roles[run.role].history if run.role in settings.roles else None
    return min(assignment.config.sandbox.history or 0, settings.history if chosen is None else chosen)


@contextmanager
def _scratch() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransientError(
            f"A snapshot does not get through {tempfile.gettempdir()}: {error}; make room there, or set TMPDIR."
        ) from error
