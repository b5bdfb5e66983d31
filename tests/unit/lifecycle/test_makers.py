"""Whose a commit is by its makers' addresses, where the forge knows no account for them."""

import pytest

from entropy.lifecycle.handover import WEB, by_address


@pytest.mark.parametrize(
    ("email", "login"),
    [
        ("12+entropy-coder@users.noreply.github.com", "entropy-coder"),
        ("12+entropy[bot]@users.noreply.ghes.example", "entropy[bot]"),
        ("ada@users.noreply.github.com", "ada"),
        ("noreply@github.com", WEB),
        ("ada@example.org", None),
    ],
)
def test_private_addresses_name_their_accounts(email: str, login: str | None) -> None:
    assert by_address(email) == login
