"""Bounds: of time, of connections and of bytes; and what is left when a phase or a sandbox ends."""

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from entropy.errors import ConfigurationError
from entropy.sandbox.egress.verdicts import Phase
from tests.integration.egress.authority import Authority
from tests.integration.egress.conftest import HOST, Open, Trail, make_proxy
from tests.integration.egress.inside import Line, hello
from tests.integration.egress.world import Names, Server


def flood(secured: ssl.SSLSocket) -> None:
    while True:
        secured.sendall(b"x" * 65536)


def swallow(secured: ssl.SSLSocket) -> None:
    while secured.recv(65536):
        pass


def silence(secured: ssl.SSLSocket) -> None:
    secured.recv(1)


@pytest.fixture
def flooding(authority: Authority) -> Iterator[Server]:
    with Server(authority.server(HOST), flood) as server:
        yield server


@pytest.fixture
def swallowing(authority: Authority) -> Iterator[Server]:
    with Server(authority.server(HOST), swallow) as server:
        yield server


@pytest.fixture
def silent(authority: Authority) -> Iterator[Server]:
    with Server(authority.server(HOST), silence) as server:
        yield server


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.mark.parametrize("first", [b"", b"CONNECT ", b"CONNECT a:443 HTTP/1.1\r\nX-A: "])
def test_a_head_that_does_not_come_is_not_waited_for(first: bytes, open_proxy: Open, trail: Trail) -> None:
    with open_proxy(bounds={"head": 0.2}) as path, Line(path) as line:
        assert b" 403 " in line.ask(first).split(b"\r\n")[0]
    assert trail.verdicts == ["slow"]


def test_a_head_that_comes_byte_by_byte_has_no_more_time(open_proxy: Open, trail: Trail) -> None:
    with open_proxy(bounds={"head": 0.3}) as path, Line(path) as line:
        line.send(b"CONNECT a:443 HTTP/1.1\r\nX-A: ")
        assert cut_off(line.send, (time.sleep(0.01) or b"a" for _ in range(1000)))
    assert trail.verdicts == ["slow"]


def test_a_hello_that_does_not_come_is_not_waited_for(open_proxy: Open, silent: Server, trail: Trail) -> None:
    with open_proxy(ports=(silent.port,), bounds={"head": 0.2}) as path, Line(path) as line:
        line.tunnel(HOST, silent.port)
        assert line.ask(hello(HOST)[:20]) == b""
    assert trail.verdicts == ["slow"]


def test_a_silent_tunnel_ends(open_proxy: Open, silent: Server, authority: Authority, trail: Trail) -> None:
    with open_proxy(ports=(silent.port,), idle=0.3) as path, Line(path) as line:
        line.tunnel(HOST, silent.port)
        with line.secure(authority.client(), HOST) as secured:
            assert drained(secured) == 0
    assert trail.verdicts == ["slow"]


def test_a_tunnel_that_is_never_silent_ends_too(
    open_proxy: Open, flooding: Server, authority: Authority, trail: Trail
) -> None:
    with open_proxy(ports=(flooding.port,), timeout=0.5) as path, Line(path) as line:
        line.tunnel(HOST, flooding.port)
        with line.secure(authority.client(), HOST) as secured:
            drained(secured)
    assert trail.verdicts == ["slow"]


def cut_off(send: Callable[[bytes], None], pieces: Iterable[bytes]) -> bool:
    """Whether the other end goes before all of it is said."""
    try:
        for piece in pieces:
            send(piece)
    except OSError:
        return True
    return False


def drained(secured: ssl.SSLSocket) -> int:
    size = 0
    try:
        while data := secured.recv(65536):
            size += len(data)
    except OSError:
        pass
    return size


def test_downloads_are_bounded_over_all_connections(
    open_proxy: Open, flooding: Server, authority: Authority, trail: Trail
) -> None:
    with open_proxy(ports=(flooding.port,), download_mib=3) as path:
        with Line(path) as line:
            line.tunnel(HOST, flooding.port)
            with line.secure(authority.client(), HOST) as secured:
                assert 2**20 < drained(secured) <= 3 * 2**20 + 65536
        with Line(path) as line:
            assert line.hear() == b""
    assert trail.verdicts == ["spent"]
    assert trail.lines[0]["received"] <= 3 * 2**20 + 65536


def test_uploads_are_bounded(open_proxy: Open, swallowing: Server, authority: Authority, trail: Trail) -> None:
    with open_proxy(ports=(swallowing.port,), upload_mib=1) as path, Line(path) as line:
        line.tunnel(HOST, swallowing.port)
        with line.secure(authority.client(), HOST) as secured:
            assert cut_off(secured.sendall, [b"x" * 16384] * 1000)
    assert trail.verdicts == ["spent"]
    assert trail.lines[0]["sent"] <= 2**20 + 65536


def test_a_client_that_does_not_listen_fills_no_memory(
    open_proxy: Open, flooding: Server, authority: Authority, trail: Trail
) -> None:
    with open_proxy(ports=(flooding.port,), idle=0.5, bounds={"head": 1}) as path, Line(path) as line:
        line.tunnel(HOST, flooding.port)
        with line.secure(authority.client(), HOST):
            until(lambda: trail.lines)
    assert trail.verdicts == ["slow"]
    assert trail.lines[0]["received"] < 2**20


def test_no_more_connections_than_allowed_at_once(open_proxy: Open, trail: Trail) -> None:
    with open_proxy(connections=3) as path, ExitStack() as lines:
        waiting = [lines.enter_context(Line(path)) for _ in range(3)]
        with Line(path) as fourth:
            assert b" 503 " in fourth.hear().split(b"\r\n")[0]
        waiting[0].ask(b"\0\r\n\r\n")
        until(lambda: len(trail.lines) == 2)
        with Line(path) as fifth:
            assert b" 400 " in fifth.ask(b"\0\r\n\r\n").split(b"\r\n")[0]
    assert sorted(trail.verdicts) == ["broken", "broken", "busy", "malformed", "malformed"] or sorted(
        trail.verdicts
    ) == ["busy", "ended", "ended", "malformed", "malformed"]


def test_a_sandbox_that_asks_for_ever_is_not_heard_for_ever(open_proxy: Open, trail: Trail) -> None:
    with open_proxy(requests=5) as path:
        asked = sum(asks(path) for _ in range(50))
    assert 4 <= asked <= 5
    assert len(trail.lines) == 5


def asks(path: Path) -> bool:
    try:
        with Line(path) as line:
            return b"\r\n" in line.ask(b"\0\r\n\r\n")
    except (ConnectionRefusedError, BrokenPipeError):
        return False


def test_a_phase_takes_its_connections_and_its_socket_along(
    tmp_path: Path, authority: Authority, names: Names, silent: Server, trail: Trail
) -> None:
    path = tmp_path / "proxy.sock"
    proxy = make_proxy(path, authority, names, ports=(silent.port,))
    with proxy.running():
        assert not path.exists()
        with proxy.phase(Phase.SETUP):
            line, head = Line(path), Line(path)
            line.tunnel(HOST, silent.port)
            secured = line.secure(authority.client(), HOST)
            head.send(b"CONN")
        assert not path.exists()
        assert drained(secured) == 0
        assert head.hear() == b""
        with proxy.phase(Phase.AGENT), Line(path) as other:
            assert b" 403 " in other.tunnel(HOST, silent.port)
        secured.close()
        for closed in (line, head):
            closed.__exit__()
    assert sorted(trail.verdicts) == ["allowed", "ended", "not-listed"]


def test_a_path_that_is_too_long_is_told(tmp_path: Path, authority: Authority, names: Names) -> None:
    proxy = make_proxy(tmp_path / ("a" * 120), authority, names)
    with proxy.running(), pytest.raises(ConfigurationError, match="short path"), proxy.phase(Phase.SETUP):
        pass
    assert "egress" not in [thread.name for thread in threading.enumerate()]


def test_nothing_is_left_of_a_proxy(open_proxy: Open, silent: Server, authority: Authority) -> None:
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    with open_proxy(ports=(silent.port,)) as path, Line(path) as line:
        line.tunnel(HOST, silent.port)
        line.send(hello(HOST))
    until(lambda: threading.active_count() <= threads)
    until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)
    assert not path.exists()


def test_descriptors_that_are_handed_over_are_not_taken(open_proxy: Open, trail: Trail) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))
    reader, writer = os.pipe()
    with open_proxy(connections=2) as path, socket.socket(socket.AF_UNIX) as hostile:
        hostile.connect(str(path))
        socket.send_fds(hostile, [b"\0\r\n\r\n"], [writer] * 50)
        assert b" 400 " in hostile.recv(1000)
        os.close(writer)
        assert os.read(reader, 1) == b""  # nobody else holds the other end
        os.close(reader)
    until(lambda: len(os.listdir("/proc/self/fd")) <= descriptors)
    assert trail.verdicts == ["malformed"]


def test_two_sandboxes_have_two_allowances(
    open_proxy: Open, flooding: Server, authority: Authority, trail: Trail
) -> None:
    with open_proxy(ports=(flooding.port,), download_mib=1) as first, open_proxy(Phase.TEST) as second:
        with Line(first) as line:
            line.tunnel(HOST, flooding.port)
            with line.secure(authority.client(), HOST) as secured:
                drained(secured)
        with Line(second) as line:
            assert b" 403 " in line.tunnel(HOST, 443)
    assert trail.verdicts == ["spent", "not-listed"]
