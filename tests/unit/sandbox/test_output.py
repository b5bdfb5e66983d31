"""A stream of any length is kept within bounds."""

import pytest

from entropy.sandbox.output import Output


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_head_and_tail_are_kept_and_the_middle_is_counted(chunk: int) -> None:
    output, data = Output(head=10, tail=10), bytes(range(50, 150))
    for start in range(0, len(data), chunk):
        output.feed(data[start : start + chunk])
    assert output.truncated
    assert output.content() == data[:10] + b"\n[80 bytes dropped]\n" + data[-10:]
    assert output.total == 100


@pytest.mark.parametrize("size", [0, 5, 10, 15, 20])
def test_what_fits_is_kept_as_it_is(size: int) -> None:
    output, data = Output(head=10, tail=10), bytes(range(65, 65 + size))
    output.feed(data)
    assert not output.truncated
    assert output.content() == data


def test_without_a_tail_only_the_head_is_held() -> None:
    output = Output(head=4, tail=0)
    for _ in range(1000):
        output.feed(b"12345678")
    assert output.content().startswith(b"1234\n[7996 bytes dropped]")


def test_bytes_that_are_no_text_become_some() -> None:
    output = Output(head=10, tail=0)
    output.feed(b"a\xffb")
    assert output.text() == "a\ufffdb"
