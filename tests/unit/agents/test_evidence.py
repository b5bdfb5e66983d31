"""What is kept of untrusted output."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entropy.agents.evidence import clean, ending, quote, tail
from entropy.models import Evidence


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil.test\x07link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Bplain", "plain"),
        ("10%\r20%\r\ndone", "10%\n20%\ndone"),
        ("bell\x07 null\x00 back\x08", "bell null back"),
        ("swap \u202eped\u202c", "swap ped"),
        ("<!-- entropy:claim -->", "< !-- entropy:claim -->"),
        ("<\u200b!--", "< !--"),
        ("tabs\tand\nlines, café", "tabs\tand\nlines, café"),
    ],
)
def test_output_is_shown_and_not_obeyed(raw: str, shown: str) -> None:
    assert clean(raw) == shown


@given(st.text())
def test_nothing_that_acts_remains(text: str) -> None:
    cleaned = clean(text)
    assert all(char.isprintable() or char in "\n\t" or char.isspace() or ord(char) > 0x9F for char in cleaned)
    assert "<!--" not in cleaned


@given(st.text(), st.integers(min_value=4, max_value=64))
def test_the_tail_is_the_end_within_its_limit(text: str, limit: int) -> None:
    kept = tail(text, limit)
    assert len(kept.encode(errors="replace")) <= limit
    assert text.rstrip().endswith(kept)


def test_the_tail_begins_with_a_whole_line() -> None:
    assert tail("first line\nsecond\nthird\n", 15) == "second\nthird"


def test_a_quotation_cannot_leave_its_marks() -> None:
    assert quote("a `b`\n@everyone") == "`a 'b' @everyone`"
    assert len(quote("x" * 5000)) <= 302


@pytest.mark.parametrize(
    ("status", "words"),
    [(None, "was stopped at its time limit"), (137, "was killed"), (2, "ended with exit status 2")],
)
def test_how_a_command_ended(status: int | None, words: str) -> None:
    evidence = Evidence(command=("make", "a b"), exit_status=status, output="", seconds=1.0)
    assert ending(evidence).startswith("`make 'a b'` " + words)
