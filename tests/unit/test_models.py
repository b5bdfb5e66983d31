"""The nouns: references, stages, secrets, records."""

import json
import logging
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entropy.errors import UnknownReference
from entropy.items import Recipe, RepositoryConfig
from entropy.models import Outcome, Run, Secret, Stage, Verdict, WorkItem


@given(st.from_regex(re.compile(r"[\w.-]{1,30}/[\w.-]{1,30}", re.ASCII), fullmatch=True), st.integers(1, 10**9))
def test_a_reference_reads_back_as_it_was_written(repository: str, number: int) -> None:
    item = WorkItem(repository=repository, number=number)
    assert WorkItem.parse(str(item)) == item


@pytest.mark.parametrize(
    "text", ["", "12", "acme#12", "acme/widgets", "acme/widgets#0", "a/b/c#1", "acme/widgets#x", "a b/c#1"]
)
def test_what_is_no_reference_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(UnknownReference, match="write it as owner/name#12"):
        WorkItem.parse(text)


def test_stages_come_in_order() -> None:
    assert [stage.position for stage in Stage] == list(range(6))


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("tok-123456")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>20}", "%s" % secret]  # noqa: UP031
    assert not [text for text in shown if "tok" in text]
    assert secret.reveal() == "tok-123456"
    with pytest.raises(TypeError, match="does not leave its process"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert not hasattr(secret, "__dict__")
    assert "tok" not in logging.LogRecord("n", 20, "p", 1, "%s", (secret,), None).getMessage()


def test_a_record_reads_back_whole() -> None:
    item = WorkItem(repository="acme/widgets", number=1)
    outcome = Outcome(verdict=Verdict.CHANGED, summary="ü", patch="abc")
    run = Run(id="r", item=item, role="coder", created=1.5, outcome=outcome)
    assert Run.model_validate_json(run.model_dump_json()) == run


def test_the_first_recipe_whose_label_is_set_applies() -> None:
    first, second = (Recipe(name=name, label=f"recipe:{name}", command=("true",)) for name in ("a", "b"))
    config = RepositoryConfig(recipes=(first, second))
    assert config.recipe_for(("bug", "recipe:b", "recipe:a")) == first
    assert config.recipe_for(("bug", "recipe:b")) == second
    assert config.recipe_for(("bug",)) is None
