"""Requests as nobody of good will writes them: none reaches the outside."""

from collections.abc import Iterator

import pytest

from entropy.sandbox.egress.verdicts import Phase
from tests.integration.egress.conftest import HOST, Open, Trail
from tests.integration.egress.inside import Line
from tests.integration.egress.world import OUTSIDE, Names, listening

CONNECT = f"CONNECT {HOST}:PORT HTTP/1.1\r\nHost: {HOST}:PORT\r\n"
POST = "POST /openai/responses HTTP/1.1\r\nHost: x\r\n"
HOSTILE = {
    "another Host": f"CONNECT {HOST}:PORT HTTP/1.1\r\nHost: evil.example.com\r\n\r\n",
    "Host of another port": f"CONNECT {HOST}:PORT HTTP/1.1\r\nHost: {HOST}:1\r\n\r\n",
    "two Hosts": CONNECT + "Host: evil.example.com\r\n\r\n",
    "the same Host twice": CONNECT + f"Host: {HOST}:PORT\r\n\r\n",
    "no Host": f"CONNECT {HOST}:PORT HTTP/1.1\r\n\r\n",
    "a length": CONNECT + "Content-Length: 5\r\n\r\nhello",
    "a length of nothing": CONNECT + "Content-Length: 0\r\n\r\n",
    "a coding": CONNECT + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both": CONNECT + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "another request behind": CONNECT + "\r\nGET http://evil.example.com/ HTTP/1.1\r\nHost: evil.example.com\r\n\r\n",
    "a hello behind": CONNECT + "\r\n\x16\x03\x01",
    "a space before the colon": CONNECT + "X-A : b\r\n\r\n",
    "a bare CR": CONNECT + "X-A: b\rHost: evil.example.com\r\n\r\n",
    "a NUL": CONNECT + "X-A: b\x00c\r\n\r\n",
    "a name with a line end": f"CONNECT {HOST}\r\n:PORT HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target with a space": f"CONNECT {HOST} :PORT HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "no port": f"CONNECT {HOST} HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "a path": f"CONNECT /{HOST}:PORT HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "an address": f"CONNECT https://{HOST}:PORT HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "a signed port": f"CONNECT {HOST}:+PORT HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "another version": f"CONNECT {HOST}:PORT HTTP/2.0\r\nHost: {HOST}:PORT\r\n\r\n",
    "small letters": f"connect {HOST}:PORT HTTP/1.1\r\nHost: {HOST}:PORT\r\n\r\n",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 600,
    "SOCKS": "\x05\x01\x00",
    "plain HTTP to a listed host": f"GET http://{HOST}:PORT/ HTTP/1.1\r\nHost: {HOST}:PORT\r\n\r\n",
    "plain HTTP with another Host": f"GET http://{HOST}:PORT/ HTTP/1.1\r\nHost: evil.example.com\r\n\r\n",
    "plain HTTP to the proxy": "GET http://127.0.0.1:3128/openai/models HTTP/1.1\r\nHost: 127.0.0.1:3128\r\n\r\n",
    "https in a plain request": f"GET https://{HOST}:PORT/ HTTP/1.1\r\nHost: {HOST}:PORT\r\n\r\n",
    "FTP": f"GET ftp://{HOST}:PORT/ HTTP/1.1\r\nHost: {HOST}:PORT\r\n\r\n",
    "the proxy itself": "GET / HTTP/1.1\r\nHost: 127.0.0.1:3128\r\n\r\n",
    "a star": "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": POST + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "two lengths in one": POST + "Content-Length: 5, 6\r\n\r\nhello",
    "length and coding": POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding twice": POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "another coding": POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a negative length": POST + "Content-Length: -5\r\n\r\nhello",
    "a giant header": POST + "X-A: " + "a" * 200_000 + "\r\n\r\n",
    "giant headers": POST + "X-A: b\r\n" * 20_000 + "\r\n",
    "a giant target": "GET /" + "a" * 200_000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
    "nothing": "",
    "empty lines": "\r\n\r\n\r\n",
    "half a head": CONNECT,
}


@pytest.fixture
def target(open_proxy: Open) -> Iterator[int]:
    """The port of something that listens outside and is listed."""
    with listening(OUTSIDE) as listener:
        yield listener.getsockname()[1]
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("phase", [Phase.SETUP, Phase.AGENT])
def test_nothing_comes_of_it(what: str, phase: Phase, target: int, open_proxy: Open, trail: Trail) -> None:
    settings = {"agent_hosts": (HOST,), "models": {"openai": f"https://{HOST}:{target}"}, "ports": (target,)}
    with open_proxy(phase, **settings) as path, Line(path) as line:
        try:
            line.send(HOSTILE[what].replace("PORT", str(target)).encode("latin-1"))
            line.hang_up()
        except OSError:  # it has heard enough
            pass
        heard = line.hear()
    assert heard == b"" or heard.split(b" ")[1] in (b"400", b"403")
    (verdict,) = trail.verdicts
    assert verdict in ("malformed", "not-listed", "not-tls", "no-name", "broken", "not-offered")


def test_a_refusal_says_why(open_proxy: Open) -> None:
    with open_proxy() as path, Line(path) as line:
        answer = line.ask(b"CONNECT evil.example.com:443 HTTP/1.1\r\nHost: evil.example.com:443\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 Refused\r\n")
    assert answer.endswith(b"This host is not on the list of this phase; ask the operator to add it.\n")


def test_the_trail_holds_no_control_characters(open_proxy: Open, trail: Trail) -> None:
    with open_proxy() as path, Line(path) as line:
        line.ask(b"GET /\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n")
        with Line(path) as other:
            other.ask(b"CONNECT " + b"a" * 9000 + b":443 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert all(line["host"].isprintable() and len(line["host"]) <= 120 for line in trail.lines)
    assert len(trail.lines) == 2


def test_old_clients_without_a_host_header_are_understood(open_proxy: Open, names: Names, trail: Trail) -> None:
    names.lead(HOST)
    with open_proxy() as path, Line(path) as line:
        line.ask(f"CONNECT {HOST}:443 HTTP/1.0\r\n\r\n".encode())
    assert trail.verdicts == ["unresolved"]


@pytest.mark.parametrize("what", [what for what in HOSTILE if "plain" in what])
def test_plain_http_is_named_for_what_it_is(what: str, open_proxy: Open, trail: Trail) -> None:
    with open_proxy(ports=(443,)) as path, Line(path) as line:
        line.ask(HOSTILE[what].replace("PORT", "443").encode())
    assert trail.verdicts == ["not-tls"]
