"""The kernel's surface and what a process may become: each attack in the sandbox all share, and once outside."""

from pathlib import Path

import pytest

from entropy.sandbox.interface import Sandbox
from tests.abuse import kernel, rights
from tests.abuse.attack import Attack, inside, outside
from tests.abuse.conftest import Note

TABLE = [*kernel.TABLE, *rights.TABLE]


@pytest.mark.parametrize("attack", TABLE, ids=lambda attack: attack.name)
def test_attack(shared: Sandbox, attack: Attack, note: Note, tmp_path: Path) -> None:
    control = outside(attack, tmp_path)
    assert control.word in attack.control, f"the control shows nothing: {control}"
    note(attack, inside(shared, attack))
