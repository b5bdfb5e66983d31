"""Inside a Fargate task: unpacks the tar of a workspace that untrusted work has left behind, and nothing but that.

It is sent into tasks and runs there with whatever Python the image has, so it leans on nothing of the house. It runs in
the collector's sandbox, as the same user as everything else there: an archive that tricks it gains that sandbox, in
which the attacker's files are all there is.
"""

import os
import shutil
import sys
import tarfile
from typing import BinaryIO

BAD = 65


class UnfitArchive(Exception):
    """The archive is no tree of files within its folder, or too large."""


class Unpacking:
    """One tree on its way below a folder."""

    def __init__(self, root: str, *, size: int, count: int) -> None:
        self._root = os.path.realpath(root)
        self._left = size
        self._count = count
        self._sound = {self._root}
        """Folders known to lie below the root with no link on the way; nothing ever takes their place."""

    def all(self, stream: BinaryIO) -> None:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # it would remember each
                self._count -= 1
                self._left -= member.size if member.isreg() else 0
                if self._count < 0 or self._left < 0:
                    raise UnfitArchive("it holds more than a workspace may")
                self._one(archive, member)

    def _one(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        path = os.path.normpath(os.path.join(self._root, member.name))
        if member.name.startswith("/") or ".." in member.name.split("/"):
            raise UnfitArchive(f"{member.name!r} lies outside")
        if path == self._root:
            return
        self._check(os.path.dirname(path), member.name)
        if member.isdir():
            self._check(path, member.name)
        elif member.issym():
            os.symlink(member.linkname, path)
        elif member.isreg():
            self._file(archive, member, path)
        # Pipes, devices and hard links: the archiver of the runner writes the contents of the last, git has no others.

    def _check(self, folder: str, name: str) -> None:
        """Make a folder, unless a link is on the way to it."""
        if folder in self._sound:
            return
        self._check(os.path.dirname(folder), name)
        if os.path.islink(folder):
            raise UnfitArchive(f"{name!r} leads through a link")
        os.makedirs(folder, exist_ok=True)
        self._sound.add(folder)

    def _file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
        content = archive.extractfile(member)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o755 if member.mode & 0o100 else 0o644)
        with os.fdopen(descriptor, "wb") as file:
            if content is not None:
                shutil.copyfileobj(content, file)


def unpack(root: str, size: str, count: str) -> None:
    """Unpack standard input below a folder; ends with `BAD` and a word about why when it is not fit for that."""
    try:
        Unpacking(root, size=int(size), count=int(count)).all(sys.stdin.buffer)
    except (UnfitArchive, tarfile.TarError, OSError, ValueError, RecursionError) as error:
        sys.stderr.write(f"{str(error)[:400]}\n")
        sys.exit(BAD)


if __name__ == "__main__":
    unpack(*sys.argv[1:])
