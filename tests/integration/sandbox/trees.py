"""File trees for sandbox tests: as tar archives going in, as folders to try patches on."""

import io
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

Tree = Mapping[str, bytes]
"""Contents by path; a path that ends in ``*`` is an executable, one that ends in ``@`` a symlink to its content."""


def entry(path: str, content: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path.rstrip("*@"))
    info.mode = 0o755 if path.endswith("*") else 0o644
    if path.endswith("@"):
        info.type, info.linkname = tarfile.SYMTYPE, content.decode()
    else:
        info.size = len(content)
    return info


def tar(tree: Tree) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in tree.items():
            info = entry(path, content)
            archive.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return packed.getvalue()


def patched(folder: Path, tree: Tree, patch: bytes) -> dict[str, bytes]:
    """What `tree` becomes by `patch`, applied by git in `folder`."""
    with tarfile.open(fileobj=io.BytesIO(tar(tree))) as archive:
        # Not the argument `filter`: Debian's Python 3.11.2 does not know it.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
    for words in (["init", "-q"], ["add", "-A", "-f"], ["apply", "--index", "--binary", "-"]):
        subprocess.run(["git", *words], cwd=folder, input=patch, check=True)
    found = subprocess.run(["git", "ls-files", "-z"], cwd=folder, check=True, capture_output=True).stdout.decode()
    return dict(_read(folder, path) for path in found.split("\0")[:-1])


def _read(folder: Path, path: str) -> tuple[str, bytes]:
    file = folder / path
    if file.is_symlink():
        return f"{path}@", str(file.readlink()).encode()
    return f"{path}*" if file.stat().st_mode & 0o100 else path, file.read_bytes()
