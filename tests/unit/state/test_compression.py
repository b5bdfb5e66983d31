"""What is packed comes out as it was, and nothing makes more than it may."""

import io
import os

import pytest
import zstandard

from entropy.errors import PolicyViolation
from entropy.state.compression import pack, unpack

CONTENT = os.urandom(3_000_000) + bytes(3_000_000)
SIZE = len(CONTENT)


def packed(content: bytes = CONTENT) -> bytes:
    target = io.BytesIO()
    pack(io.BytesIO(content), target)
    return target.getvalue()


def unpacked(content: bytes, limit: int = SIZE) -> bytes:
    target = io.BytesIO()
    unpack(io.BytesIO(content), target, limit=limit, remedy="ask for less")
    return target.getvalue()


def lying(content: bytes, size: int) -> bytes:
    """The same frame, with another size in its header."""
    assert content[4] >> 6 == 2, "the size has four bytes"
    begin = 5 if content[4] & 0x20 else 6  # without or with a byte for the window
    return content[:begin] + size.to_bytes(4, "little") + content[begin + 4 :]


def test_what_is_packed_is_smaller_and_comes_out_as_it_was() -> None:
    assert len(packed()) < 3_100_000
    assert unpacked(packed()) == CONTENT
    assert unpacked(packed(b""), 0) == b""


def test_what_says_that_it_is_too_large_is_not_unpacked() -> None:
    target = io.BytesIO()
    with pytest.raises(PolicyViolation, match=f"makes {SIZE} bytes, more than {SIZE - 1}; ask for less"):
        unpack(io.BytesIO(packed()), target, limit=SIZE - 1, remedy="ask for less")
    assert target.getvalue() == b""


def test_a_bomb_that_says_it_is_small_makes_no_more_than_it_says() -> None:
    target = io.BytesIO()
    with pytest.raises(PolicyViolation):
        unpack(io.BytesIO(lying(packed(bytes(SIZE)), 100_000)), target, limit=SIZE, remedy="ask for less")
    assert len(target.getvalue()) <= 100_001


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no frame",
        packed()[:-5],
        packed()[: SIZE // 4],
        lying(packed(), SIZE - 1),
        zstandard.ZstdCompressor().compressobj().compress(CONTENT) + b"",
        packed()[:2_000_000] + b"x" + packed()[2_000_001:],
    ],
    ids=["nothing", "no frame", "without its end", "half", "another size", "no size", "changed"],
)
def test_what_is_not_whole_is_refused(content: bytes) -> None:
    with pytest.raises(PolicyViolation):
        unpacked(content)
