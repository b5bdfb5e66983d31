"""Settings: what the environment may say, and what a slip of the pen is told."""

import pytest

from entropy.errors import ConfigurationError
from entropy.settings import load, variables


def test_defaults_need_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    assert load().redis.url == "redis://127.0.0.1:6379/0"
    assert load().sandbox.backend == "none"


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTROPY_GITHUB__REPOSITORIES", "acme/widgets, acme/gadgets,")
    monkeypatch.setenv("ENTROPY_SANDBOX__BINDS", "/opt/a,/opt/b")
    assert load().github.repositories == ("acme/widgets", "acme/gadgets")
    assert [str(bind) for bind in load().sandbox.binds] == ["/opt/a", "/opt/b"]


def test_apps_are_named_by_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTROPY_GITHUB__APPS", "coder=12, *=13,")
    assert load().github.apps == {"coder": 12, "*": 13}


@pytest.mark.parametrize("text", ["coder", "coder=", "coder=entropy"])
def test_an_app_without_a_number_is_told(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTROPY_GITHUB__APPS", text)
    with pytest.raises(ConfigurationError, match=r"^ENTROPY_GITHUB__APPS__CODER is not usable: .*integer"):
        load()


def test_every_variable_is_listed_once_and_nested_ones_too() -> None:
    names = variables()
    assert len(names) == len(set(names))
    assert "ENTROPY_SECRETS__VAULT__ADDRESS" in names


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ENTROPY_REDIS_URL", "did you mean ENTROPY_REDIS__URL?"),
        ("ENTROPY_SANDBOX__BAKEND", "did you mean ENTROPY_SANDBOX__BACKEND?"),
        ("ENTROPY_QQQ", "remove it or see the README's list."),
    ],
)
def test_a_misspelt_variable_is_told_its_name(name: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load({name: "x", "PATH": "/bin"})
    assert str(caught.value) == f"{name} is not a setting of Entropy; {hint}"


def test_secrets_are_nobodys_misspelling() -> None:
    load({"ENTROPY_SECRET_CODER_GITHUB_TOKEN": "x"})


def test_a_malformed_value_is_one_sentence_with_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTROPY_SCHEDULING__CAPACITY", "many")
    with pytest.raises(ConfigurationError, match=r"^ENTROPY_SCHEDULING__CAPACITY is not usable: .*integer.*[.]$"):
        load()
