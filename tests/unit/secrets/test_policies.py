"""Every role has a policy, and a policy gives a role its own secrets to read and nothing more."""

import re
from pathlib import Path

import pytest

from entropy.agents.registry import BUILT_IN

POLICIES = Path(__file__).resolve().parents[3] / "ops/vault/policies"


def test_every_role_has_one() -> None:
    assert {path.stem for path in POLICIES.iterdir()} == {agent.role for agent in BUILT_IN} | {"scheduler"}


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.hcl")), ids=lambda path: path.stem)
def test_it_gives_the_role_its_own_secrets_to_read(path: Path) -> None:
    rules = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert re.sub(r"\s+", " ", " ".join(rules)) == (
        f'path "secret/data/entropy/{path.stem}/*" {{ capabilities = ["read"] }}'
    )
