"""Recordings: the format, and what is said about each mistake in it."""

import re
from pathlib import Path

import pytest

from entropy.agents.engines import recording
from entropy.agents.engines.recording import EditStep, RunStep, WriteStep, read_recordings
from entropy.errors import ConfigurationError

HEAD = 'repository = "acme/widgets"\ntitle = "Totals"\n[[attempt]]\nsummary = "s"\n[[attempt.step]]\n'


def write(folder: Path, text: str, name: str = "totals.toml") -> None:
    (folder / name).write_text(text)


def test_the_format_that_the_module_shows_is_the_format(tmp_path: Path) -> None:
    example = (recording.__doc__ or "").partition("\n\n")[2]
    write(tmp_path, re.sub("^    ", "", example, flags=re.MULTILINE))
    (read,) = read_recordings(tmp_path)
    assert (read.repository, read.title) == ("acme/widgets", "Totals are wrong for an empty basket")
    run, edit, written = read.attempts[0].steps
    assert run == RunStep(run=("python", "-m", "pytest", "-q"), expect=1)
    assert isinstance(edit, EditStep)
    assert edit.replacement == "return prices[0] if prices else 0"
    assert written == WriteStep(write="docs/changes.txt", content="Totals of empty baskets are zero.")


def test_a_folder_without_recordings_has_none(tmp_path: Path) -> None:
    assert read_recordings(tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('repository = "a', "cannot be read"),
        ('title = "t"', "at repository: Field required"),
        (HEAD + 'run = ["true"]\nexpct = 1', r"at attempt\.0\.step\.0\.run\.expct: Extra inputs"),
        (HEAD + 'run = ["true"]\nexpect = "1"', r"at attempt\.0\.step\.0\.run\.expect: .*integer"),
        (HEAD + 'run = "true"', r"at attempt\.0\.step\.0\.run\.run: .*tuple"),
        (HEAD + "run = []", r"at attempt\.0\.step\.0\.run\.run: "),
        (HEAD + 'edit = "a"\nreplace = "b"', r"at attempt\.0\.step\.0\.edit\.with: Field required"),
        (HEAD + 'edit = "a"\nreplace = ""\nwith = "b"', r"at attempt\.0\.step\.0\.edit\.replace: "),
        (HEAD + 'write = "../a"\ncontent = ""', "write it as a path inside the repository"),
        (HEAD + 'write = "/etc/passwd"\ncontent = ""', "write it as a path inside the repository"),
        (HEAD + 'read = "a"', "a step has one of the keys run, edit and write"),
        ('repository = "a/b"\ntitle = "t"\nattempt = []', "at attempt: "),
    ],
)
def test_a_mistake_is_named_with_its_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, text)
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_recordings(tmp_path)
    assert "totals.toml" in str(caught.value)


def test_two_recordings_of_one_issue_are_refused(tmp_path: Path) -> None:
    write(tmp_path, HEAD + 'run = ["true"]', "a.toml")
    write(tmp_path, HEAD + 'run = ["false"]', "b.toml")
    with pytest.raises(ConfigurationError, match=r"a\.toml and .*b\.toml answer the same issue"):
        read_recordings(tmp_path)


def test_a_missing_folder_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ENTROPY_ENGINES__RECORDINGS"):
        read_recordings(tmp_path / "nowhere")
