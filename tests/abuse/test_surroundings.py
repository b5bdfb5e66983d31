"""Nothing of the worker and nothing of the machine is to be found inside."""

from pathlib import Path

import pytest

from entropy.sandbox.interface import Sandbox
from tests.abuse import surroundings
from tests.abuse.attack import APART, Attack, inside, outside
from tests.abuse.conftest import Note
from tests.abuse.machine import Machine

LEAKY = ("sh", "-c", '{ exec 9< /; "$@"; } 7>&1 | cat', "sh")
"""Not apart at all: the machine as its other processes see it, and two files that were left open."""


@pytest.mark.parametrize("attack", surroundings.TABLE, ids=lambda attack: attack.name)
def test_attack(shared: Sandbox, attack: Attack, note: Note, machine: Machine, tmp_path: Path) -> None:
    # PID 1 of the machine may have more rights than its root here; that of the control has not.
    controls = [outside(attack, tmp_path, machine.target, apart=apart) for apart in (LEAKY, APART)]
    assert any(control.word in attack.control for control in controls), f"the controls show nothing: {controls}"
    note(attack, inside(shared, attack, machine.target))
