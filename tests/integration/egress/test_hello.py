"""Client hellos, as OpenSSL writes them and as nobody does."""

import asyncio
import contextlib
import ssl

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from entropy.sandbox.egress.hello import read_hello, server_name
from entropy.sandbox.egress.verdicts import Denied
from tests.integration.egress.inside import hello

NAME = "host.example.com"
WRITTEN = hello(NAME)


def read(raw: bytes) -> tuple[bytes, bytes]:
    async def fed() -> tuple[bytes, bytes]:
        reader = asyncio.StreamReader()
        reader.feed_data(raw)
        reader.feed_eof()
        return await read_hello(reader)

    return asyncio.run(fed())


def only(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_every_version_shows_its_name(version: ssl.TLSVersion) -> None:
    written = hello(NAME, context=only(version))
    raw, message = read(written)
    assert raw == written
    assert server_name(message) == NAME


def test_capital_letters_mean_the_same() -> None:
    assert server_name(read(WRITTEN.replace(b"host.example", b"HOST.Example"))[1]) == NAME


@given(at=st.integers(0, len(WRITTEN) - 1), byte=st.integers(0, 255))
@example(at=0, byte=0)
@settings(max_examples=300, deadline=None)
def test_a_changed_byte_gives_a_name_or_a_refusal(at: int, byte: int) -> None:
    changed = WRITTEN[:at] + bytes((byte,)) + WRITTEN[at + 1 :]
    with contextlib.suppress(Denied, EOFError):
        assert isinstance(server_name(read(changed)[1]), str)


@given(size=st.integers(0, len(WRITTEN) - 1))
@settings(max_examples=100, deadline=None)
def test_a_hello_that_was_cut_has_no_name(size: int) -> None:
    with pytest.raises((Denied, EOFError)):
        server_name(read(WRITTEN[:size])[1])


@given(data=st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(Denied):
        server_name(b"\x01" + len(data).to_bytes(3, "big") + data)
