"""A commit as a tar of all its tracked files, byte for byte as they are committed."""

from typing import BinaryIO

from entropy.errors import PolicyViolation
from entropy.repository.git import Git

ATTRIBUTES = "* -export-ignore -export-subst -filter -ident -text !working-tree-encoding\n"
"""For ``info/attributes`` of the mirror, which outrank the repository's own: nothing left out, nothing rewritten."""


def archive(git: Git, commit: str, *, into: BinaryIO, limit: int) -> None:
    """Write the tar; raises `PolicyViolation` above `limit` bytes. Submodules are empty folders in it.

    What is in the file already, which may be the beginning of a tar, counts.
    """
    room = limit - into.tell()
    if room < 0 or git.write("archive", "--format=tar", commit, into=into, limit=room) > room:
        raise PolicyViolation(
            f"The tracked files of {git.url} at {commit[:12]} make more than {limit // 2**20} MiB; "
            "raise ENTROPY_REPOSITORY__SNAPSHOT_MIB to serve this repository."
        )
