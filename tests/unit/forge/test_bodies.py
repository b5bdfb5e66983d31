"""Request bodies are read without trust."""

import pytest

from entropy.forge.bodies import Body, parse
from entropy.forge.refusals import Refusal


@pytest.mark.parametrize("value", [1, [], {}, "x" * 70000, True])
def test_text_is_text(value: object) -> None:
    with pytest.raises(Refusal) as refusal:
        Body({"title": value}, "Issue").text("title")
    assert refusal.value.payload()["errors"] == [{"resource": "Issue", "field": "title", "code": "invalid"}]


def test_labels_come_as_text_or_as_objects_and_once() -> None:
    assert Body({"labels": ["a", {"name": "b"}, "a"]}).texts("labels") == ["a", "b"]


@pytest.mark.parametrize("value", [{"name": "a"}, [1], [{}], [""], ["x" * 51], ["x"] * 101])
def test_other_labels_are_refused(value: object) -> None:
    with pytest.raises(Refusal):
        Body({"labels": value}).texts("labels")


@pytest.mark.parametrize("value", [0, -1, True, 2**40, "1", 1.0])
def test_a_number_is_a_positive_whole_number(value: object) -> None:
    with pytest.raises(Refusal):
        Body({"line": value}).number("line")


def test_no_body_is_an_empty_one() -> None:
    assert parse(b"").fields == {}


def test_a_body_that_is_no_object_has_no_fields() -> None:
    with pytest.raises(Refusal) as refusal:
        parse(b"[1]").text("title")
    assert refusal.value.status == 422
