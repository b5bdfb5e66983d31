"""Nothing answers: not the cloud, not the machine, not the container daemon, not the odd kinds of sockets."""

from pathlib import Path

import pytest

from entropy.sandbox.interface import Sandbox
from tests.abuse import network
from tests.abuse.attack import Attack, inside, outside
from tests.abuse.conftest import Note
from tests.abuse.machine import Machine


@pytest.mark.parametrize("attack", network.FAR, ids=lambda attack: attack.name)
def test_far(shared: Sandbox, attack: Attack, note: Note, machine: Machine, tmp_path: Path) -> None:
    control = outside(attack, tmp_path, machine.target, apart=machine.network)
    assert control.word in attack.control, f"the control shows nothing: {control}"
    note(attack, inside(shared, attack, machine.target))


@pytest.mark.parametrize("attack", [*network.NEAR, *network.DAEMONS, *network.FAMILIES], ids=lambda attack: attack.name)
def test_near(shared: Sandbox, attack: Attack, note: Note, machine: Machine, tmp_path: Path) -> None:
    control = outside(attack, tmp_path, machine.target)
    assert control.word in attack.control, f"the control shows nothing: {control}"
    note(attack, inside(shared, attack, machine.target))
