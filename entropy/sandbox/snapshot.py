"""The tar of tracked files on its way into a workspace: looked at before anything unpacks it."""

import tarfile
from typing import BinaryIO

from entropy.errors import PolicyViolation
from entropy.sandbox.policy import SandboxPolicy

UNPACK = ("tar", "--extract", "--file=-", "--no-same-owner")


def check(tree: BinaryIO, policy: SandboxPolicy) -> None:
    """Raise `PolicyViolation` unless these are plain files, folders and symlinks that stay inside and fit."""
    members = size = 0
    tree.seek(0)
    try:
        with tarfile.open(fileobj=tree, mode="r:") as archive:
            while (member := archive.next()) is not None:
                _check_member(member)
                members += 1
                size += member.size
                archive.members.clear()  # type: ignore[attr-defined]  # it would remember each
    except tarfile.TarError as error:
        raise PolicyViolation(f"The snapshot is not a tar archive: {error}.") from None
    if members > policy.inodes or size > policy.workspace:
        raise PolicyViolation(
            f"The repository has {members} files of {size} bytes in all, more than a workspace holds;"
            " raise ENTROPY_SANDBOX__WORKSPACE_MIB."
        )


def _check_member(member: tarfile.TarInfo) -> None:
    plain = member.isreg() or member.isdir() or member.issym()
    if not plain or member.name.startswith("/") or ".." in member.name.split("/"):
        raise PolicyViolation(f"The snapshot holds {member.name!r}, which is not a file inside it.")
