"""The one folder that holds everything of the demo, and goes with it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from entropy.cli.demo.failure import DemoFailed

PLACES = ("home", "tmp", "sources", "sandboxes", "mirrors", "clones")


@contextmanager
def folder(wanted: Path | None) -> Iterator[Path]:
    """A new folder for this user only; removed at the end."""
    place = _make(wanted)
    try:
        for name in PLACES:
            (place / name).mkdir(mode=0o700)
        yield place
    finally:
        _remove(place)


def _make(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="entropy-demo-"))
    try:
        wanted.mkdir(mode=0o700)
    except OSError as error:
        raise DemoFailed(
            f"{wanted} cannot be made ({error.strerror}); name a folder that does not exist yet."
        ) from None
    return wanted.absolute()


def _remove(place: Path) -> None:
    # Tests in a sandbox may take away the rights to their own folders.
    for parent, names, _ in os.walk(place):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(place)
