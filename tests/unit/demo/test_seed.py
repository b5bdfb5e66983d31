"""The demo's repositories: what is published stays as it was published, and what is ours says what it shows."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from entropy.cli.demo.environment import data
from entropy.cli.demo.failure import DemoFailed
from entropy.cli.demo.seed import Seed, seeds, unpack


def seed(name: str) -> Seed:
    return next(seed for seed in seeds(data()) if seed.repository == name)


def test_the_real_package_is_unpacked_as_published(tmp_path: Path) -> None:
    tree = unpack(seed("python-humanize/humanize"), data(), tmp_path)
    assert (tree / "LICENCE").read_text().startswith("Copyright (c) 2010-2020 Jason Moiron")
    assert (tree / "src/humanize/locale/de_DE/LC_MESSAGES/humanize.mo").is_file()
    assert (tree / ".entropy.toml").is_file()


def test_an_archive_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "data"
    shutil.copytree(data(), source)
    with (source / "humanize-4.17.0.tar.gz").open("ab") as archive:
        archive.write(b"\0")
    with pytest.raises(DemoFailed, match="is not the archive that was published"):
        unpack(seed("python-humanize/humanize"), source, tmp_path)


def test_the_recipe_says_the_licence_in_every_module_once(tmp_path: Path) -> None:
    tree = unpack(seed("python-humanize/humanize"), data(), tmp_path)
    recipe = [sys.executable, ".entropy/spdx.py", "src", "tests"]
    changed = subprocess.run(recipe, cwd=tree, check=True, capture_output=True, text=True).stdout.split()
    assert "src/humanize/time.py" in changed
    assert "tests/test_time.py" in changed
    assert "src/humanize/_version.py" not in changed
    assert (tree / "src/humanize/time.py").read_text().splitlines()[:2] == [
        "# SPDX-FileCopyrightText: 2010-2020 Jason Moiron and Contributors",
        "# SPDX-License-Identifier: MIT",
    ]
    assert subprocess.run(recipe, cwd=tree, check=True, capture_output=True, text=True).stdout == ""


def test_the_bug_is_shown_by_the_test_that_the_issue_names(tmp_path: Path) -> None:
    widgets = seed("acme/widgets")
    tree = unpack(widgets, data(), tmp_path)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(argv, cwd=tree, check=False, capture_output=True, text=True)
    failed = [line.split()[1] for line in run.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 1
    assert failed[0] in widgets.issue[0].body
