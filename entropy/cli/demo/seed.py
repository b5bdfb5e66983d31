"""What the demo works on: repositories with issues, described by the files in ``data``."""

import hashlib
import tarfile
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Self

from entropy.cli.demo.failure import DemoFailed
from entropy.models import Noun


class Archive(Noun):
    """A published source archive, kept beside its description as it was published."""

    file: str
    sha256: str


class SeedIssue(Noun):
    """An issue that a person is going to file."""

    title: str
    body: str
    labels: tuple[str, ...]


class Seed(Noun):
    """A repository of the demo."""

    repository: str
    archive: Archive | None = None
    files: Mapping[str, str]
    issue: tuple[SeedIssue, ...]

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls(**tomllib.loads(path.read_text(encoding="utf-8")))


def seeds(data: Path) -> tuple[Seed, ...]:
    return tuple(Seed.read(path) for path in sorted(data.glob("*.toml")))


def unpack(seed: Seed, data: Path, target: Path) -> Path:
    """Write the seed's tree into a new folder below `target`, named after the archive or the repository."""
    tree = target / seed.repository.rpartition("/")[2]
    if seed.archive is not None:
        tree = target / seed.archive.file.removesuffix(".tar.gz")
        _extract(_verified(seed.archive, data), tree)
    for name, text in seed.files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tree


def _verified(archive: Archive, data: Path) -> Path:
    path = data / archive.file
    if hashlib.sha256(path.read_bytes()).hexdigest() != archive.sha256:
        raise DemoFailed(f"{path} is not the archive that was published; restore it with git checkout.")
    return path


def _extract(path: Path, tree: Path) -> None:
    """Only regular files, and only below the archive's one top folder."""
    with tarfile.open(path) as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts[1:]
            content = archive.extractfile(member) if member.isfile() else None
            if content is None or not parts or ".." in parts:
                continue
            target = tree.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
