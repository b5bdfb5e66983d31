"""The README: it names what there is."""

import re
from pathlib import Path

from entropy.settings import variables

README = Path(__file__).parents[2] / "README.rst"


def test_every_setting_is_listed_with_its_meaning_and_no_other() -> None:
    text = README.read_text()
    rows = dict(re.findall(r"^   \* - ``(ENTROPY_\w+)``\n     - .*\n     - (.*)$", text, re.MULTILINE))
    assert list(rows) == variables()
    assert not [name for name, meaning in rows.items() if not meaning.strip()]


def test_every_folder_and_script_that_it_names_exists() -> None:
    named = re.findall(r"``((?:ops|compose|k8s|entropy)/[\w./-]+)``", README.read_text())
    assert named
    assert not [path for path in named if not (README.parent / path.split()[0]).exists()]
