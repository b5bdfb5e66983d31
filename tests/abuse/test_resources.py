"""Nobody gets more than its share, and what was taken down does not take the worker or the next command along."""

from pathlib import Path

import pytest

from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Sandbox
from entropy.settings import SandboxSettings
from tests.abuse import resources
from tests.abuse.attack import Attack, inside, outside
from tests.abuse.conftest import Note, new_run
from tests.integration.sandbox.places import Place, until


def is_alive(sandbox: Sandbox) -> bool:
    return sandbox.exec(["echo", "alive"]).stdout == "alive\n"


@pytest.mark.parametrize("attack", resources.TABLE, ids=lambda attack: attack.name)
def test_attack(greedy: Sandbox, attack: Attack, note: Note, tmp_path: Path) -> None:
    control = outside(attack, tmp_path)
    assert control.word in attack.control, f"the control shows nothing: {control}"
    got = inside(greedy, attack)
    until(lambda: is_alive(greedy))
    note(attack, got)


def test_processor(place: Place, note: Note, tmp_path: Path) -> None:
    small = SandboxSettings.model_validate({**place.settings.model_dump(), "cpus": 0.1})
    attack = resources.PROCESSOR
    controls = (outside(attack, tmp_path) for _ in range(5))  # the machine may be busy
    assert any(control.won for control in controls), "the control shows nothing"
    with make_backend(small).open(new_run()) as sandbox:
        note(attack, inside(sandbox, attack))
