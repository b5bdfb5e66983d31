"""What lies in a workspace as a tar, on its way to become a dependency cache: made inside, looked at before it is kept.

As with patches, it is read in a cell where no untrusted process ever was, and the host neither follows nor runs
anything of it. What a cache may hold is what a wheel or a package may: plain files and folders, hard links between them
and symlinks. A symlink may lead anywhere: only the inside of a sandbox ever follows it, and that has its own root.
Devices, pipes and programs that lend rights are refused, so none of them is there whatever a mount allows.
"""

import tarfile
import tempfile
from pathlib import PurePosixPath
from typing import BinaryIO

from entropy.errors import PolicyViolation
from entropy.sandbox.command import Cell, Command
from entropy.sandbox.output import Output
from entropy.sandbox.policy import COLLECT_SECONDS, KIB, SandboxPolicy

UNREADABLE = "entropy: incomplete"
SCRIPT = f'{{ tar --create --mode=a+rX --file=- . || echo "{UNREADABLE}" >&2; }} | head -c "$1"'
HEADERS = 2 * KIB
"""What a file's name may take in a tar, beside its content."""
LENDING = 0o6000
"""setuid and setgid."""
XATTR = "SCHILY.xattr."
WHAT = "The setup made something that is not kept: "


class _Drain(Output):
    """Output that goes into a file instead of memory."""

    def __init__(self, into: BinaryIO) -> None:
        super().__init__(head=0, tail=0)
        self._into = into

    def feed(self, data: bytes) -> None:
        self.total += len(data)
        self._into.write(data)


def pack(cell: Cell, into: BinaryIO, policy: SandboxPolicy) -> int:
    """Write the workspace into a file, as a tar of root's for everybody to read: no two sandboxes are the same user.

    Returns the size of its files in bytes. Raises `PolicyViolation` for what is refused.
    """
    cell.kill()
    with tempfile.TemporaryFile() as packed:
        _fetch(cell, packed, policy)
        size = check(packed, policy)
        _rewrite(packed, into)
    return size


def _fetch(cell: Cell, into: BinaryIO, policy: SandboxPolicy) -> None:
    most = policy.workspace + policy.inodes * HEADERS
    command = Command(["sh", "-c", SCRIPT, "pack", str(most + 1)], seconds=COLLECT_SECONDS, keep=(KIB, KIB))
    command.stdout = _Drain(into)
    status = cell.inspect(command).status
    # What lies in no memory counts too: a file with holes is as large as it says.
    if command.stdout.total > most:
        raise PolicyViolation(f"{WHAT}more than a workspace holds; see ENTROPY_SANDBOX__WORKSPACE_MIB.")
    if status != 0 or UNREADABLE in command.stderr.text() or into.tell() != command.stdout.total:
        raise PolicyViolation(f"{WHAT}it cannot be read. {' '.join(command.stderr.text().split())!r}")


def _rewrite(packed: BinaryIO, into: BinaryIO) -> None:
    packed.seek(0)
    with tarfile.open(fileobj=packed, mode="r:") as before, tarfile.open(fileobj=into, mode="w") as after:
        while (member := before.next()) is not None:
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            after.addfile(member, before.extractfile(member) if member.isreg() else None)
            before.members.clear()  # type: ignore[attr-defined]
            after.members.clear()  # type: ignore[attr-defined]


def check(archive: BinaryIO, policy: SandboxPolicy) -> int:
    """The size of all files in bytes; raises `PolicyViolation` unless it may be unpacked and shown as it is."""
    archive.seek(0)
    seen = _Seen()
    try:
        with tarfile.open(fileobj=archive, mode="r:") as tar:
            while (member := tar.next()) is not None:
                seen.take(member)
                tar.members.clear()  # type: ignore[attr-defined]  # it would remember each
    except tarfile.TarError as error:
        raise PolicyViolation(f"{WHAT}it is no tar archive ({error}).") from None
    if seen.size > policy.workspace or len(seen.folders) + len(seen.others) > policy.inodes:
        raise PolicyViolation(f"{WHAT}more than a workspace holds; see ENTROPY_SANDBOX__WORKSPACE_MIB.")
    return seen.size


class _Seen:
    """What of an archive has been looked at: each name once, each below a folder that came before it."""

    def __init__(self) -> None:
        self.folders = {PurePosixPath(".")}
        self.files: set[PurePosixPath] = set()
        self.others: set[PurePosixPath] = set()
        self.size = 0

    def take(self, member: tarfile.TarInfo) -> None:
        path = PurePosixPath(member.name)
        if member.isdir() and path == PurePosixPath("."):
            return
        if path in self.others or path in self.folders or path.parent not in self.folders or ".." in path.parts:
            raise PolicyViolation(f"{WHAT}{member.name!r} is not a file inside it.")
        if not self._is_plain(member):
            raise PolicyViolation(f"{WHAT}{member.name!r} is neither a file, a folder nor a link.")
        lends = member.mode & LENDING and not member.isdir()
        if lends or any(name.startswith(XATTR) for name in member.pax_headers):
            raise PolicyViolation(f"{WHAT}{member.name!r} would lend rights to whoever runs it.")
        (self.folders if member.isdir() else self.others).add(path)
        if member.isreg():
            self.files.add(path)
            self.size += member.size

    def _is_plain(self, member: tarfile.TarInfo) -> bool:
        hard = member.islnk() and PurePosixPath(member.linkname) in self.files
        return member.isreg() or member.isdir() or member.issym() or hard
