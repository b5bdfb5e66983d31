"""Tunnels: to listed hosts, at the addresses that were checked, and for the host that was named."""

import re
import socket
import ssl
from collections.abc import Iterator

import pytest

from tests.integration.egress.authority import Authority
from tests.integration.egress.conftest import HOST, Open, Trail
from tests.integration.egress.inside import Line, hello
from tests.integration.egress.world import OUTSIDE, Names, Server, listening

ALERT = b"\x15\x03\x03\x00\x02\x02\x70"


def echo(secured: ssl.SSLSocket) -> None:
    while data := secured.recv(65536):
        secured.sendall(data.upper())


@pytest.fixture
def server(authority: Authority) -> Iterator[Server]:
    with Server(authority.server(HOST), echo) as server:
        yield server


def test_a_listed_host_is_reached(open_proxy: Open, server: Server, authority: Authority, trail: Trail) -> None:
    with open_proxy(ports=(server.port,)) as path, Line(path) as line:
        assert line.tunnel(HOST, server.port).startswith(b"HTTP/1.1 200 ")
        with line.secure(authority.client(), HOST) as secured:
            secured.sendall(b"hello")
            assert secured.recv(100) == b"HELLO"
    (entry,) = trail.lines
    assert (entry["run_id"], entry["phase"], entry["host"], entry["verdict"]) == ("run-1", "setup", HOST, "allowed")
    assert entry["sent"] > 300
    assert entry["received"] > 300
    assert entry["seconds"] >= 0


def test_an_older_client_that_resumes_its_session_is_understood(
    open_proxy: Open, server: Server, authority: Authority, trail: Trail
) -> None:
    context = authority.client()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    session = None
    with open_proxy(ports=(server.port,)) as path:
        for _ in range(2):
            with Line(path) as line:
                line.tunnel(HOST, server.port)
                with line.secure(context, HOST, session=session) as secured:
                    secured.sendall(b"hello")
                    assert secured.recv(100) == b"HELLO"
                    assert bool(secured.session_reused) == (session is not None)
                    session = secured.session
    assert trail.verdicts == ["allowed", "allowed"]


def test_much_goes_through_as_it_is(open_proxy: Open, server: Server, authority: Authority) -> None:
    with open_proxy(ports=(server.port,)) as path, Line(path) as line:
        line.tunnel(HOST, server.port)
        with line.secure(authority.client(), HOST) as secured:
            for number in range(200):
                piece = f"{number:08}".encode() * 2000
                secured.sendall(piece)
                received = b""
                while len(received) < len(piece):
                    received += secured.recv(65536)
                assert received == piece


@pytest.mark.parametrize(
    "target",
    [
        *("127.0.0.1", "8.8.8.8", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "1.1.1.1.", "%31.1.1.1"),
        *("[::1]", "[::ffff:127.0.0.1]", "[fe80::1%25eth0]", "::1", "169.254.169.254", "fd00::1"),
        *("127.0.0.1.", f"{HOST}.", "-a.example.com", "a..example.com", "user@" + HOST, "\u00e9.example.com", "*", ""),
    ],
)
def test_what_is_not_a_name_is_refused(target: str, open_proxy: Open, names: Names, trail: Trail) -> None:
    with open_proxy() as path, Line(path) as line:
        answer = line.ask(f"CONNECT {target}:443 HTTP/1.1\r\nHost: {target}:443\r\n\r\n".encode())
    assert re.match(rb"HTTP/1.1 (403|400) Refused\r\n", answer)
    assert trail.verdicts == ["no-name" if target and target.isascii() else "malformed"]
    assert not names.asked


def test_a_name_that_is_not_listed_is_not_even_looked_up(open_proxy: Open, names: Names, trail: Trail) -> None:
    with open_proxy() as path, Line(path) as line:
        assert b" 403 " in line.tunnel(f"secret-text.{HOST}", 443)
    assert trail.verdicts == ["not-listed"]
    assert not names.asked


@pytest.mark.parametrize("port", [22, 80, 25, 6379, 0, 65536, 99999])
def test_other_ports_are_refused(port: int, open_proxy: Open, names: Names, trail: Trail) -> None:
    with open_proxy() as path, Line(path) as line:
        assert b" 403 " in line.tunnel(HOST, port)
    assert trail.verdicts == ["port"]
    assert not names.asked


INSIDE = [
    *("127.0.0.1", "127.0.0.3", "0.0.0.0", "10.0.0.1", "172.16.5.5", "192.168.1.1", "100.64.0.1", "169.254.169.254"),
    *("169.254.170.2", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"),
    *("2002:7f00:1::", "2001::7f00:1", "fd00:ec2::254", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "fc00::1"),
]


@pytest.mark.parametrize("address", INSIDE)
def test_a_listed_name_that_leads_inside_is_refused(address: str, open_proxy: Open, names: Names, trail: Trail) -> None:
    names.lead(HOST, [address])
    with open_proxy() as path, Line(path) as line:
        assert b" 403 " in line.tunnel(HOST, 443)
    assert trail.verdicts == ["not-global"]


def test_one_address_inside_spoils_the_others(open_proxy: Open, names: Names, server: Server, trail: Trail) -> None:
    names.lead(HOST, [OUTSIDE, "127.0.0.1"])
    with open_proxy(ports=(server.port,)) as path, Line(path) as line:
        assert b" 403 " in line.tunnel(HOST, server.port)
    assert trail.verdicts == ["not-global"]
    assert server.accepted == 0


def test_metadata_is_out_of_reach_even_in_a_network_of_the_operator(
    open_proxy: Open, names: Names, trail: Trail
) -> None:
    names.lead(HOST, ["169.254.169.254"])
    with open_proxy(networks=("0.0.0.0/0",)) as path, Line(path) as line:
        assert b" 403 " in line.tunnel(HOST, 443)
    assert trail.verdicts == ["not-global"]


def test_a_name_that_leads_elsewhere_the_second_time_is_looked_up_once(
    open_proxy: Open, names: Names, server: Server, authority: Authority
) -> None:
    names.lead(HOST, [OUTSIDE], ["127.0.0.1"])
    with listening("127.0.0.1"), open_proxy(ports=(server.port,)) as path, Line(path) as line:
        assert b" 200 " in line.tunnel(HOST, server.port)
        with line.secure(authority.client(), HOST) as secured:
            secured.sendall(b"x")
            assert secured.recv(10) == b"X"
    assert names.asked == [HOST]
    assert server.accepted == 1


def test_a_host_that_does_not_answer_is_told(open_proxy: Open, names: Names, trail: Trail) -> None:
    with socket.create_server((OUTSIDE, 0)) as gone:
        port = gone.getsockname()[1]
    with open_proxy(ports=(port,)) as path, Line(path) as line:
        assert b" 502 " in line.tunnel(HOST, port)
    names.lead(HOST)
    with open_proxy(ports=(port,)) as path, Line(path) as line:
        assert b" 502 " in line.tunnel(HOST, port)
    assert trail.verdicts == ["unreachable", "unresolved"]


def fragmented(raw: bytes) -> bytes:
    """The same hello, a byte in each record."""
    return b"".join(raw[:3] + b"\0\x01" + raw[at : at + 1] for at in range(5, len(raw)))


def with_extension(raw: bytes, kind: int, content: bytes) -> bytes:
    """The same hello with one extension more."""
    extension = kind.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content
    message = bytearray(raw[9:])
    at = 34
    at += 1 + message[at]
    at += 2 + int.from_bytes(message[at : at + 2], "big")
    at += 1 + message[at]
    size = int.from_bytes(message[at : at + 2], "big") + len(extension)
    message[at : at + 2] = size.to_bytes(2, "big")
    message += extension
    return raw[:3] + (len(message) + 4).to_bytes(2, "big") + b"\x01" + len(message).to_bytes(3, "big") + bytes(message)


def longer(raw: bytes) -> bytes:
    return raw[:3] + (len(raw) - 5 + 2).to_bytes(2, "big") + raw[5:] + b"\0\0"


ENDLESS = b"\x16\x03\x01\x10\x00\x01\xff\xff\xff" + b"\0" * 4092 + (b"\x16\x03\x01\x10\x00" + b"\0" * 4096) * 20
SNI = b"\0\x0e\0\0\x0bexample.org"
FRONTED = {
    "other name": (hello("evil.example.com"), "other-sni"),
    "name below": (hello(f"x.{HOST}"), "other-sni"),
    "other name in small records": (fragmented(hello("evil.example.com")), "other-sni"),
    "no name": (hello(None), "no-sni"),
    "two name extensions": (with_extension(hello(HOST), 0, SNI), "not-tls"),
    "encrypted hello": (with_extension(hello(HOST), 0xFE0D, b"\0" * 40), "hidden-sni"),
    "encrypted name": (with_extension(hello(HOST), 0xFFCE, b"\0" * 40), "hidden-sni"),
    "early data": (with_extension(hello(HOST), 42, b""), "hidden-sni"),
    "not TLS at all": (b"SSH-2.0-OpenSSH_9.2\r\n", "not-tls"),
    "plain HTTP": (b"GET / HTTP/1.1\r\nHost: evil.example.com\r\n\r\n", "not-tls"),
    "SSL 2": (b"\x80\x2e\x01\x03\x01" + b"\0" * 43, "not-tls"),
    "more than a hello in a record": (longer(hello(HOST)), "not-tls"),
    "a hello cut short": (hello(HOST)[:60], "broken"),
    "nothing": (b"", "broken"),
    "a hello that never ends": (ENDLESS, "not-tls"),
    "something else first": (b"\x17\x03\x03\x00\x05abcde" + hello(HOST), "not-tls"),
    "two messages in one record": (b"\x16\x03\x01\x00\x08\x00\x00\x00\x00\x01\x00\x00\x00" + hello(HOST), "not-tls"),
}


@pytest.mark.parametrize("what", FRONTED)
def test_a_client_that_means_another_host_is_cut_off(what: str, open_proxy: Open, server: Server, trail: Trail) -> None:
    first, verdict = FRONTED[what]
    with open_proxy(ports=(server.port,)) as path, Line(path) as line:
        assert b" 200 " in line.tunnel(HOST, server.port)
        line.send(first)
        line.hang_up()
        assert line.hear() in (ALERT, b"")
    assert trail.verdicts == [verdict]
    assert trail.lines[0]["sent"] == 0


def test_a_hello_in_small_records_is_understood(open_proxy: Open, server: Server, trail: Trail) -> None:
    with open_proxy(ports=(server.port,)) as path, Line(path) as line:
        line.tunnel(HOST, server.port)
        for byte in fragmented(hello(HOST)):
            line.send(bytes((byte,)))
        assert line.hear_some()[0] == 22
    assert trail.verdicts == ["allowed"]


def asking_again(context: ssl.SSLContext) -> ssl.SSLContext:
    """A server that wants another key share than clients offer, and so a second hello."""
    context.set_ecdh_curve("secp521r1")
    return context


def test_a_server_may_ask_for_a_second_hello(open_proxy: Open, authority: Authority, trail: Trail) -> None:
    again = Server(asking_again(authority.server(HOST)), echo)
    with again as server, open_proxy(ports=(server.port,)) as path, Line(path) as line:
        line.tunnel(HOST, server.port)
        with line.secure(authority.client(), HOST) as secured:
            secured.sendall(b"again")
            assert secured.recv(10) == b"AGAIN"
    assert trail.verdicts == ["allowed"]


BETWEEN = {
    "at once": b"",
    "after a change of cipher": b"\x14\x03\x03\x00\x01\x01",
    "after a warning": b"\x15\x03\x03\x00\x02\x01\x5a",
    "after many changes": b"\x14\x03\x03\x00\x01\x01" * 3,
}


@pytest.mark.parametrize("between", BETWEEN)
def test_a_second_hello_for_another_host_is_cut_off(
    between: str, open_proxy: Open, authority: Authority, trail: Trail
) -> None:
    second = BETWEEN[between] + fragmented(hello("evil.example.com"))
    again = Server(asking_again(authority.server(HOST)), echo)
    with again as server, open_proxy(ports=(server.port,)) as path, Line(path) as line:
        line.tunnel(HOST, server.port)
        first = hello(HOST)
        line.send(first)
        assert line.hear_some()[0] == 22  # the request for another
        line.send(second)
        line.hear()
    assert trail.lines[0]["sent"] <= len(first) + 18
