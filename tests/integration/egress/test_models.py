"""Models: agents inside need no key, get none to see, and reach nothing but what agents are for."""

import base64
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from entropy.sandbox.egress.veil import Veil
from entropy.sandbox.egress.verdicts import Phase
from tests.integration.egress.authority import Authority
from tests.integration.egress.conftest import KEY, Open, Trail
from tests.integration.egress.inside import Line
from tests.integration.egress.world import OUTSIDE, Names, Server

MODEL = "models.example.com"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
World = Callable[..., Any]


@pytest.fixture
def model(authority: Authority, open_proxy: Open, names: Names) -> World:
    """An endpoint that answers with these bytes, and the proxy in front of it."""
    names.lead(MODEL, [OUTSIDE])

    @contextmanager
    def opened(*answers: bytes, phase: Phase = Phase.AGENT, **settings: Any) -> Iterator[tuple[Path, Server]]:
        def handle(secured: ssl.SSLSocket) -> None:
            server.read_request(secured)
            for part in answers or (OK,):
                secured.sendall(part)

        with Server(authority.server(MODEL), handle) as server:
            models = {"openai": f"https://{MODEL}:{server.port}/v1"}
            with open_proxy(phase, models=models, **settings) as path:
                yield path, server

    return opened


def request(
    *headers: str, body: bytes = b'{"model": "m"}', target: str = "/openai/chat/completions", method: str = "POST"
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1:3128", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def heads(heard: bytes) -> list[bytes]:
    return heard.split(b"\r\n\r\n")[0].split(b"\r\n")


def test_the_key_is_put_on_outside(model: World, trail: Trail) -> None:
    with model() as (path, server), Line(path) as line:
        answer = line.ask(request("Content-Type: application/json", target="/openai/chat/completions?beta=true"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n{}")
    sent = heads(bytes(server.heard))
    assert sent[0] == b"POST /v1/chat/completions?beta=true HTTP/1.1"
    fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in sent[1:])}
    assert fields[b"authorization"] == f"Bearer {KEY}".encode()
    assert fields[b"host"] == f"{MODEL}:{server.port}".encode()
    assert server.heard.endswith(b'{"model": "m"}')
    assert [(entry["host"], entry["verdict"], entry["phase"]) for entry in trail.lines] == [(MODEL, "allowed", "agent")]


OWN = [
    *("Authorization: Bearer sk-of-the-attacker", "X-Api-Key: sk-of-the-attacker", "Api-Key: sk-of-the-attacker"),
    *(
        "X-Goog-Api-Key: sk-of-the-attacker",
        "Cookie: session=sk-of-the-attacker",
        "OpenAI-Organization: sk-of-the-attacker",
    ),
    *("Proxy-Authorization: Basic sk-of-the-attacker", "X-Forwarded-Host: sk-of-the-attacker"),
    *(
        "Connection: authorization, sk-of-the-attacker",
        "Upgrade: sk-of-the-attacker",
        "aUtHoRiZaTiOn: sk-of-the-attacker",
    ),
]


@pytest.mark.parametrize("header", OWN)
def test_credentials_of_the_sandbox_stay_inside(header: str, model: World) -> None:
    with model() as (path, server), Line(path) as line:
        line.ask(request(header))
    assert b"sk-of-the-attacker" not in server.heard
    assert server.heard.count(b"uthorization: ") == 1
    assert KEY.encode() in server.heard


def test_an_echoed_key_is_taken_out(model: World) -> None:
    echo = json.dumps({"headers": {"authorization": f"Bearer {KEY}"}}).encode()
    head = f"HTTP/1.1 401 No {KEY}\r\nContent-Length: {len(echo)}\r\nX-Echo: Bearer {KEY}\r\nX-{KEY}: 1\r\n"
    with model(head.encode(), f"Set-Cookie: key={KEY}\r\n\r\n".encode(), echo) as (path, _), Line(path) as line:
        answer = line.ask(request())
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert KEY.lower().encode() not in answer.lower()
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"headers": {"authorization": f"Bearer {'*' * len(KEY)}"}}


def test_a_key_in_pieces_is_taken_out(model: World) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [b"1\r\n" + bytes((byte,)) + b"\r\n" for byte in f"data: {KEY}{KEY[:9]}!{KEY}\n\n".encode()]
    with model(head, *chunks, b"0\r\n\r\n") as (path, _), Line(path) as line:
        answer = line.ask(request())
    body = answer.partition(b"\r\n\r\n")[2]
    said = b"".join(part for part in body.split(b"\r\n")[1::2])
    mask = "*" * len(KEY)
    assert said == f"data: {mask}{KEY[:9]}!{mask}\n\n".encode()


def test_what_may_be_said_is_said_at_once() -> None:
    veil = Veil(b"abcabd")
    assert veil.over(b"data: x\n\n") == b"data: x\n\n"
    assert veil.over(b"abcab") == b""
    assert veil.over(b"cabd") == b"abc******"[:3] + b"******"
    assert veil.over(b"ab") + veil.rest() == b"ab"


def test_an_encoded_answer_is_refused(model: World, trail: Trail) -> None:
    body = base64.b64encode(KEY.encode())
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with model(head, body) as (path, server), Line(path) as line:
        answer = line.ask(request("Accept-Encoding: gzip, br"))
    assert b" 502 " in answer.split(b"\r\n")[0]
    assert b"accept-encoding: identity" in server.heard.lower()
    assert b"gzip" not in server.heard
    assert trail.verdicts == ["encoded"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_a_redirect_is_not_followed_and_not_told(status: int, model: World, trail: Trail) -> None:
    head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: https://evil.example.com/\r\nContent-Length: 0\r\n\r\n".encode()
    with model(head) as (path, server), Line(path) as line:
        answer = line.ask(request())
    assert b" 502 " in answer.split(b"\r\n")[0]
    assert b"evil" not in answer
    assert server.accepted == 1
    assert trail.verdicts == ["redirect"]


def test_other_protocols_are_not_switched_to(model: World, trail: Trail) -> None:
    head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    with model(head) as (path, server), Line(path) as line:
        answer = line.ask(request("Connection: Upgrade", "Upgrade: websocket"))
    assert b" 502 " in answer.split(b"\r\n")[0]
    assert trail.verdicts == ["unreachable"]
    assert b"websocket" not in server.heard


TARGETS = [
    *(
        "/openai/files",
        "/openai/responses/resp_1",
        "/openai/../files",
        "/openai/models/../files",
        "/openai/models/%2e%2e",
    ),
    *("/openai//chat/completions", "/openai/chat/completions/", "/openai/models/a//b", "/openai/models/a/../../files"),
    *("/openai/chat/completions%20", "/openai/fine_tuning/jobs", "/openai/batches", "/openai/", "/openai"),
    *("/openai/models/a/./b", "/openai/chat/completions;x", "/openai/models/."),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_agents_do_not_need_is_not_offered(target: str, method: str, model: World, trail: Trail) -> None:
    with model() as (path, server), Line(path) as line:
        answer = line.ask(request(target=target, method=method))
    assert b" 403 " in answer.split(b"\r\n")[0]
    assert trail.verdicts == ["not-offered"]
    assert server.accepted == 0


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "HEAD", "GET", "TRACE"])
def test_other_methods_are_not_offered(method: str, model: World, trail: Trail) -> None:
    with model() as (path, server), Line(path) as line:
        assert b" 403 " in line.ask(request(method=method)).split(b"\r\n")[0]
    assert trail.verdicts == ["not-offered"]
    assert server.accepted == 0


def test_models_can_be_listed(model: World) -> None:
    with model() as (path, server), Line(path) as line:
        line.ask(request(target="/openai/models/org/name-1.5:free", method="GET", body=b""))
    assert server.heard.startswith(b"GET /v1/models/org/name-1.5:free HTTP/1.1\r\n")


@pytest.mark.parametrize("phase", [Phase.SETUP, Phase.TEST])
def test_other_phases_have_no_models(phase: Phase, model: World, trail: Trail) -> None:
    with model(phase=phase) as (path, server), Line(path) as line:
        assert b" 403 " in line.ask(request()).split(b"\r\n")[0]
    assert trail.verdicts == ["not-listed"]
    assert server.accepted == 0


def test_a_model_is_not_reached_around_the_key(model: World, trail: Trail) -> None:
    with model() as (path, server), Line(path) as line:
        assert b" 403 " in line.tunnel(MODEL, server.port)
    assert trail.verdicts == ["not-listed"]


def test_a_model_without_a_key_is_told(open_proxy: Open, names: Names, trail: Trail) -> None:
    with open_proxy(Phase.AGENT, models={"anthropic": f"https://{MODEL}"}) as path, Line(path) as line:
        answer = line.ask(request(target="/anthropic/v1/messages"))
    assert b" 502 " in answer.split(b"\r\n")[0]
    assert trail.verdicts == ["no-key"]
    assert not names.asked


def test_a_model_that_is_not_who_it_says_gets_no_key(
    authority: Authority, open_proxy: Open, names: Names, trail: Trail
) -> None:
    names.lead(MODEL, [OUTSIDE])
    with Server(authority.server("other.example.com"), lambda _: None) as server:
        models = {"openai": f"https://{MODEL}:{server.port}/v1"}
        with open_proxy(Phase.AGENT, models=models) as path, Line(path) as line:
            assert b" 502 " in line.ask(request()).split(b"\r\n")[0]
    assert trail.verdicts == ["unreachable"]


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1"])
def test_a_model_that_leads_inside_gets_no_key(address: str, model: World, names: Names, trail: Trail) -> None:
    with model() as (path, server), Line(path) as line:
        names.lead(MODEL, [address])
        assert b" 403 " in line.ask(request()).split(b"\r\n")[0]
    assert trail.verdicts == ["not-global"]
    assert server.accepted == 0


def test_a_stream_arrives_as_it_is_said(authority: Authority, open_proxy: Open, names: Names) -> None:
    names.lead(MODEL, [OUTSIDE])

    def handle(secured: ssl.SSLSocket) -> None:
        server.read_request(secured)
        secured.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        secured.sendall(b"5\r\nfirst\r\n")
        secured.recv(1)  # says no more until the client is gone

    with Server(authority.server(MODEL), handle) as server:
        models = {"openai": f"https://{MODEL}:{server.port}/v1"}
        with open_proxy(Phase.AGENT, models=models) as path, Line(path) as line:
            line.send(request())
            heard = b""
            while b"first" not in heard:
                heard += line.hear_some()


NONSENSE = {
    "no HTTP": b"SSH-2.0-x\r\n\r\n",
    "a giant head": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 100_000,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("what", NONSENSE)
def test_an_answer_that_makes_no_sense_is_not_passed_on(what: str, model: World, trail: Trail) -> None:
    with model(NONSENSE[what]) as (path, _), Line(path) as line:
        assert b" 502 " in line.ask(request()).split(b"\r\n")[0]
    assert trail.verdicts == ["unreachable"]


def test_a_second_request_behind_the_first_is_not_served(model: World, trail: Trail) -> None:
    with model() as (path, server), Line(path) as line:
        answer = line.ask(request() + request(target="/openai/files"))
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answer.lower()
    assert b"files" not in server.heard
    assert trail.verdicts == ["allowed"]


def test_a_large_request_goes_out_whole(model: World) -> None:
    body = b"x" * 3_000_000
    with model() as (path, server), Line(path) as line:
        assert line.ask(request("Expect: 100-continue", body=body)).startswith(b"HTTP/1.1 100 ")
    assert server.heard.endswith(body)
    assert b"xpect" not in server.heard[:2000]


def test_a_chunked_request_goes_out_whole(authority: Authority, open_proxy: Open, names: Names) -> None:
    names.lead(MODEL, [OUTSIDE])
    heard = bytearray()

    def handle(secured: ssl.SSLSocket) -> None:
        while b"\r\n0\r\n\r\n" not in heard:
            heard.extend(secured.recv(65536))
        secured.sendall(OK)

    with Server(authority.server(MODEL), handle) as server:
        models = {"openai": f"https://{MODEL}:{server.port}/v1"}
        with open_proxy(Phase.AGENT, models=models) as path, Line(path) as line:
            line.send(b"POST /openai/responses HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            line.send(b"3\r\nabc\r\n")
            line.send(b"4\r\ndefg\r\n0\r\n\r\n")
            assert line.hear().endswith(b"{}")
    assert b"abc" in heard
    assert b"defg" in heard
