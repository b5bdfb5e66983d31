import pytest

from entropy.github.facts import identity_of, label_names, login_of


@pytest.mark.parametrize(
    ("api", "host"), [("https://api.github.com", "github.com"), ("https://git.acme.example/api/v3", "git.acme.example")]
)
def test_commits_carry_the_private_address_of_the_account(api: str, host: str) -> None:
    identity = identity_of({"id": 41, "login": "entropy-coder", "name": None}, api=api)
    assert (identity.name, identity.email) == ("entropy-coder", f"41+entropy-coder@users.noreply.{host}")


def test_the_author_of_a_deleted_account_has_a_name() -> None:
    assert login_of(None) == "ghost"


def test_labels_come_as_objects_or_as_names() -> None:
    assert label_names({"labels": [{"name": "bug"}, "entropy:code"]}) == ("bug", "entropy:code")
