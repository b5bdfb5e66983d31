"""The one way out of a sandbox leads to what is listed, in its phase, and nowhere else."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from entropy.sandbox.egress.outlet import Egress
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.factory import BACKENDS
from entropy.sandbox.interface import Sandbox
from entropy.settings import EgressSettings
from tests.abuse.attack import Attack, Verdict, judged
from tests.abuse.conftest import Note, new_run
from tests.integration.egress.authority import Authority
from tests.integration.egress.conftest import HOST
from tests.integration.egress.world import OUTSIDE, Names, Server
from tests.integration.sandbox.places import Place

REBOUND, METADATA = "rebound.example.com", "metadata.example.com"
AWAY = "a way out for what it has read"
WITHIN = "what the machine offers to itself only"

TUNNEL = """
import json, ssl
way = json.loads(sys.argv[1])
with socket.create_connection(("127.0.0.1", 3128), 10) as line:
    line.settimeout(10)
    line.sendall(("CONNECT %(host)s:%(port)s HTTP/1.1\\r\\nHost: %(host)s:%(port)s\\r\\n\\r\\n" % way).encode())
    head = b""
    while not head.endswith(b"\\r\\n\\r\\n"):
        more = line.recv(1)
        if not more:
            raise ConnectionResetError(errno.ECONNRESET, "no answer")
        head += more
    if b" 200 " not in head.split(b"\\r\\n")[0]:
        raise PermissionError(errno.EPERM, head.decode(errors="replace"))
    if way["name"] is None:
        line.sendall(b"GET / HTTP/1.1\\r\\nHost: evil\\r\\n\\r\\n")
        answer = line.recv(100)
        if answer.startswith(b"\\x15"):
            raise ConnectionResetError(errno.ECONNRESET, "a TLS alert of the proxy's")
        return answer
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with context.wrap_socket(line, server_hostname=way["name"]) as secured:
            secured.sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
            return secured.recv(100)
    except ssl.SSLError as error:
        raise ConnectionResetError(errno.ECONNRESET, str(error))
"""
PLAIN = """
import json
way = json.loads(sys.argv[1])
with socket.create_connection(("127.0.0.1", 3128), 10) as line:
    line.settimeout(10)
    line.sendall(("GET http://%(host)s:%(port)s/ HTTP/1.1\\r\\nHost: %(host)s:%(port)s\\r\\n\\r\\n" % way).encode())
    answer = line.recv(1000)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise PermissionError(errno.EPERM, answer.decode(errors="replace"))
    return answer
"""
FOLDER = 'open("/run/entropy-egress/evil", "w").close()\nreturn "a file beside the socket"'


class Case(NamedTuple):
    """A way that is tried, in a phase; the port is the listed one, plus something."""

    attack: Attack
    host: str
    name: str | None = HOST
    more: int = 0
    phase: Phase = Phase.SETUP


CASES = [
    Case(Attack("way out: a host that is not listed", AWAY, TUNNEL), "evil.example.com", "evil.example.com"),
    Case(Attack("way out: a host below a listed one", AWAY, TUNNEL), f"evil.{HOST}", f"evil.{HOST}"),
    Case(Attack("way out: an address", AWAY, TUNNEL), OUTSIDE),
    Case(Attack("way out: an address as one number", AWAY, TUNNEL), "2130706434"),
    Case(Attack("way out: an address of IPv6", WITHIN, TUNNEL), "[::ffff:127.0.0.2]"),
    Case(Attack("way out: a listed name that leads to the machine", WITHIN, TUNNEL), REBOUND, REBOUND),
    Case(Attack("way out: a listed name that leads to metadata", WITHIN, TUNNEL), METADATA, METADATA),
    Case(Attack("way out: localhost", WITHIN, TUNNEL), "localhost", "localhost"),
    Case(Attack("way out: another port", AWAY, TUNNEL), HOST, HOST, 1),
    Case(Attack("way out: another name in TLS", AWAY, TUNNEL), HOST, "evil.example.com"),
    Case(Attack("way out: something else than TLS", AWAY, TUNNEL), HOST, None),
    Case(Attack("way out: a plain request", AWAY, PLAIN), HOST),
    Case(Attack("way out: a plain request to the machine", WITHIN, PLAIN), "127.0.0.1"),
    Case(Attack("way out: in the phase of tests", AWAY, TUNNEL), HOST, HOST, 0, Phase.TEST),
    Case(Attack("way out: in the phase of the agent", AWAY, TUNNEL), HOST, HOST, 0, Phase.AGENT),
    Case(Attack("way out: the folder of the socket", "a socket of its own making", FOLDER), HOST),
]


class Way(NamedTuple):
    """A sandbox with a way out, and the port of what is outside."""

    sandbox: Sandbox
    port: int

    def tried(self, case: Case) -> Verdict:
        way = json.dumps({"host": case.host, "port": self.port + case.more, "name": case.name})
        return judged(self.sandbox.exec(["python3", "-c", case.attack.program, way], timeout=30, phase=case.phase))


def _answer(secured: ssl.SSLSocket) -> None:
    secured.recv(1000)
    secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture(scope="module")
def way(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    authority, names = Authority(tmp_path_factory.mktemp("authority")), Names()
    for host, address in {HOST: OUTSIDE, REBOUND: "127.0.0.1", METADATA: "169.254.169.254"}.items():
        names.lead(host, [address])
    with ExitStack() as stack:
        index = stack.enter_context(Server(authority.server(HOST), _answer))
        stack.enter_context(socket.create_server(("127.0.0.1", index.port)))
        settings = EgressSettings(
            directory=tmp_path_factory.mktemp("out"),
            setup_hosts=(HOST, REBOUND, METADATA),
            networks=(f"{OUTSIDE}/32",),
            ports=(index.port,),
            certificates=authority.path,
        )
        backend = BACKENDS[place.settings.backend](place.settings, Egress(settings, resolve=names.resolve))
        sandbox = stack.enter_context(backend.open(new_run()))
        yield Way(sandbox, index.port)


@pytest.fixture(scope="module")
def control(way: Way) -> Verdict:
    """The same program on the listed way."""
    return way.tried(Case(CASES[0].attack, HOST))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.attack.name)
def test_way_out(way: Way, control: Verdict, case: Case, note: Note) -> None:
    assert control.won, f"the control shows nothing: {control}"
    note(case.attack, way.tried(case))
