"""A commit and its nearest ancestors as a repository of its own, for a workspace: all of it is made here.

It has one branch and an index; no remotes, no hooks, no other refs, and of configuration what git cannot do without.
What is reachable from other commits only is not in it.
"""

import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import BinaryIO

from entropy.repository.git import Git

FOLDER = ".git"
BRANCH = "base"
CONFIGURATION = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
CHUNK = 1024 * 1024


def write_history(git: Git, commit: str, *, depth: int, into: BinaryIO) -> None:
    """Write the beginning of a tar: the folder ``.git``, after which the archive of the commit may follow.

    `depth`: how many commits there are on each way back from this one, itself included.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / FOLDER
        place.mkdir()
        _make(Git(place, url=git.url, token=None, protocols=("file",)), git.directory, commit, depth)
        for path in sorted(path for path in place.rglob("*") if path.is_file()):
            _add(path, path.relative_to(folder).as_posix(), into)


def _make(shallow: Git, mirror: Path, commit: str, depth: int) -> None:
    shallow.read("init", "--bare", "--quiet", "--template=")
    refspec = f"{commit}:refs/heads/{BRANCH}"
    shallow.read(
        "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", f"--depth={depth}", f"file://{mirror}", refspec
    )
    shallow.read("repack", "-a", "-d", "--quiet")
    shallow.read("read-tree", commit, environment={"GIT_INDEX_FILE": str(shallow.directory / "index")})
    (shallow.directory / "HEAD").write_text(f"ref: refs/heads/{BRANCH}\n")
    (shallow.directory / "config").write_text(CONFIGURATION)


def _add(path: Path, name: str, into: BinaryIO) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = path.stat().st_size, 0o644
    into.write(info.tobuf())
    with path.open("rb") as file:
        shutil.copyfileobj(file, into, CHUNK)
    into.write(bytes(-info.size % tarfile.BLOCKSIZE))
