"""What a recording is: commands and edits that answer one issue, written down in a TOML file.

repository = "acme/widgets"
title = "Totals are wrong for an empty basket"   # of the issue, and of the pull request that answers it

[[attempt]]                                      # the first answers the issue, each further one a review
summary = "Return zero for an empty basket."

[[attempt.step]]
run = ["python", "-m", "pytest", "-q"]
expect = 1                                       # exit status; 0 where not given

[[attempt.step]]
edit = "src/widgets/basket.py"
replace = "return prices[0]"                     # has to be in the file exactly once
with = "return prices[0] if prices else 0"

[[attempt.step]]
write = "docs/changes.txt"
content = "Totals of empty baskets are zero."
"""

import tomllib
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, StrictInt, Tag, ValidationError

from entropy.errors import ConfigurationError
from entropy.models import Noun


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or {"..", ".git"}.intersection(parts) or not path.isprintable():
        raise ValueError("write it as a path inside the repository")
    return path


TreePath = Annotated[str, AfterValidator(_inside)]


class RunStep(Noun):
    """Run a command; any other exit status than `expect` ends the replay."""

    run: Annotated[tuple[str, ...], Field(min_length=1)]
    expect: StrictInt = 0


class EditStep(Noun):
    """Replace a text that is in the file exactly once."""

    edit: TreePath
    replace: Annotated[str, Field(min_length=1)]
    replacement: Annotated[str, Field(alias="with")]


class WriteStep(Noun):
    """Write a whole file."""

    write: TreePath
    content: str


def _kind(step: Any) -> str | None:
    return next((kind for kind in ("run", "edit", "write") if kind in step), None) if isinstance(step, dict) else None


PlayStep = Annotated[
    Annotated[RunStep, Tag("run")] | Annotated[EditStep, Tag("edit")] | Annotated[WriteStep, Tag("write")],
    Discriminator(
        _kind,
        custom_error_type="step",
        custom_error_message="a step has one of the keys run, edit and write",
    ),
]


class Attempt(Noun):
    """One answer: to the issue, or to a review that asks for changes."""

    summary: str
    steps: Annotated[tuple[PlayStep, ...], Field(alias="step", min_length=1)]


class Recording(Noun):
    """All attempts at one issue, in their order."""

    repository: str
    title: str
    attempts: Annotated[tuple[Attempt, ...], Field(alias="attempt", min_length=1)]


def read_recordings(folder: Path) -> tuple[Recording, ...]:
    """Every ``*.toml`` in the folder; a mistake in any raises `ConfigurationError` with the file and the key."""
    if not folder.is_dir():
        raise ConfigurationError(
            f"There is no folder {folder} for recordings; correct ENTROPY_ENGINES__RECORDINGS or make the folder."
        )
    found: dict[tuple[str, str], Path] = {}
    recordings = []
    for file in sorted(folder.glob("*.toml")):
        recording = _read(file)
        first = found.setdefault((recording.repository, recording.title), file)
        if first != file:
            raise ConfigurationError(f"{first} and {file} answer the same issue; remove one of them.")
        recordings.append(recording)
    return tuple(recordings)


def _read(file: Path) -> Recording:
    try:
        return Recording.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"The recording {file} cannot be read: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"The recording {file} is not usable at {key}: {first['msg']}.") from None
