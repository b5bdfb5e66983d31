"""Errors: each says what to do, and each survives the way to another process."""

import pickle

import pytest

from entropy import errors
from entropy.errors import EntropyError, PermanentError, RateLimited, TransientError


def every_error(base: type[EntropyError] = EntropyError) -> list[type[EntropyError]]:
    here = [direct for direct in base.__subclasses__() if direct.__module__ == errors.__name__]
    return [base, *(below for direct in here for below in every_error(direct))]


@pytest.mark.parametrize("error", every_error())
def test_the_docstring_is_the_default_message(error: type[EntropyError]) -> None:
    assert str(error()) == (error.__doc__ or "").strip()
    assert str(pickle.loads(pickle.dumps(error("why")))) == "why"


def test_every_error_says_whether_to_try_again() -> None:
    undecided = {EntropyError, TransientError, PermanentError}
    assert all(issubclass(error, TransientError | PermanentError) for error in set(every_error()) - undecided)


def test_the_tree_in_the_docstring_is_the_tree_in_the_code() -> None:
    drawn = {line.split("── ")[1].split()[0] for line in (errors.__doc__ or "").splitlines() if "── " in line}
    assert drawn == {error.__name__ for error in every_error()} - {"EntropyError"}


def test_a_pause_travels_with_its_error() -> None:
    assert pickle.loads(pickle.dumps(RateLimited("slow down", retry_after=7))).retry_after == 7
