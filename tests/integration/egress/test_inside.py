"""Ways out of real sandboxes: what is found inside, in which phase, and what is left."""

import json
import os
import ssl
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from entropy.errors import ConfigurationError
from entropy.logging.redaction import Redaction
from entropy.sandbox.backends.bubblewrap import BubblewrapBackend
from entropy.sandbox.backends.docker import DockerBackend
from entropy.sandbox.belongings import Kind
from entropy.sandbox.egress.destinations import is_global, resolved
from entropy.sandbox.egress.indexes import read_indexes
from entropy.sandbox.egress.outlet import INSIDE, Egress
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.interface import Backend, Sandbox
from entropy.settings import EgressSettings, SecretSettings, load
from entropy.wiring import Toolbox
from tests.integration.egress.authority import Authority
from tests.integration.egress.conftest import HOST, KEY, Trail, key_of
from tests.integration.egress.world import OUTSIDE, Names, Server
from tests.integration.sandbox.places import MARK, PLACES, BubblewrapPlace, Place
from tests.services import require

ROOT = Path(__file__).parents[3]
MODEL = "models.example.com"
FETCH = "import urllib.request; print(urllib.request.urlopen('https://{host}:{port}/', timeout=20).read().decode())"
ASK = """
import json, os, urllib.request
base = os.environ["OPENAI_BASE_URL"]
headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}
asked = urllib.request.Request(base + "/responses", data=b"{}", headers=headers)
print(json.dumps([urllib.request.urlopen(asked, timeout=20).read().decode(), dict(os.environ)]))
"""
DIRECT = """
import socket
for address in {addresses}:
    try:
        socket.create_connection(address, 2)
    except OSError:
        continue
    print("reached", address)
"""
MakeBackend = Callable[..., Backend]


@pytest.fixture(scope="module", params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in PLACES])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with closing(PLACES[request.param](tmp_path_factory.mktemp("sandbox"))) as place:
        yield place


@pytest.fixture
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")  # short, as a socket's path has to be


@pytest.fixture
def make(place: Place, names: Names, authority: Authority, directory: Path) -> MakeBackend:
    def made(*, egress: dict[str, Any] | None = None, **settings: Any) -> Backend:
        given = {"directory": directory, "networks": (f"{OUTSIDE}/32",), "certificates": authority.path}
        ways = Egress(EgressSettings(**{**given, **(egress or {})}), keys=key_of, resolve=names.resolve)
        kinds = {"docker": DockerBackend, "bubblewrap": BubblewrapBackend}
        return kinds[place.settings.backend](place.settings.model_copy(update=settings), ways)

    return made


@contextmanager
def opened(backend: Backend) -> Iterator[Sandbox]:
    with backend.open(f"{MARK}-{uuid.uuid4().hex}") as sandbox:
        yield sandbox


def answer(body: bytes) -> Callable[[ssl.SSLSocket], None]:
    def handle(secured: ssl.SSLSocket) -> None:
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += secured.recv(65536)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        secured.sendall(head.encode() + body)

    return handle


@pytest.fixture
def index(authority: Authority) -> Iterator[Server]:
    with Server(authority.server(HOST), answer(b"a package")) as server:
        yield server


def fetch(port: int, host: str = HOST) -> list[str]:
    return ["python3", "-c", FETCH.format(host=host, port=port)]


def test_setup_reaches_what_is_listed_and_nothing_else_does(make: MakeBackend, index: Server, trail: Trail) -> None:
    with opened(make(egress={"setup_hosts": (HOST,), "ports": (index.port,)})) as sandbox:
        reached = sandbox.exec(fetch(index.port), phase=Phase.SETUP)
        assert (reached.exit_status, reached.stdout) == (0, "a package\n"), reached.stderr
        refused = sandbox.exec(fetch(index.port, "evil.example.com"), phase=Phase.SETUP)
        assert "403 Refused" in refused.stderr
        for phase in (Phase.AGENT, Phase.TEST):
            assert sandbox.exec(fetch(index.port), phase=phase).exit_status == 1
        assert sandbox.exec(fetch(index.port)).exit_status == 1
        assert sandbox.exec(fetch(index.port), phase=Phase.SETUP).exit_status == 0
    assert trail.verdicts == ["allowed", "not-listed", "allowed"]
    assert index.accepted == 2


def test_agents_ask_models_without_a_key(make: MakeBackend, authority: Authority, names: Names, trail: Trail) -> None:
    names.lead(MODEL, [OUTSIDE])

    def handle(secured: ssl.SSLSocket) -> None:
        heard = server.read_request(secured)
        secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(heard) + heard)

    with Server(authority.server(MODEL), handle) as server:
        models = {"openai": f"https://{MODEL}:{server.port}/v1"}
        with opened(make(egress={"models": models})) as sandbox:
            result = sandbox.exec(["python3", "-c", ASK], phase=Phase.AGENT)
            assert result.exit_status == 0, result.stderr
            assert sandbox.exec(["python3", "-c", ASK], phase=Phase.SETUP).exit_status == 1
    assert f"Authorization: Bearer {KEY}".lower() in server.heard.decode().lower()
    echoed, environment = json.loads(result.stdout)
    assert KEY not in result.stdout
    assert f"bearer {'*' * len(KEY)}" in echoed.lower()
    assert environment["OPENAI_BASE_URL"] == "http://127.0.0.1:3128/openai"
    assert trail.verdicts == ["allowed"]


def test_a_workers_toolbox_hands_the_key_of_a_model_to_the_way_out(
    place: Place, authority: Authority, directory: Path, tmp_path: Path
) -> None:
    key = f"sk-{uuid.uuid4().hex}"
    (tmp_path / "sandbox_openai_key").write_text(key)
    (tmp_path / "sandbox_openai_key").chmod(0o600)
    with Server(authority.server("localhost"), lambda secured: told(server, secured), address="127.0.0.1") as server:
        egress = EgressSettings(
            directory=directory,
            models={"openai": f"https://localhost:{server.port}/v1"},
            networks=("127.0.0.0/8", "::1/128"),
            certificates=authority.path,
        )
        sandboxes = place.settings.model_copy(update={"egress": egress})
        settings = load({}).model_copy(update={"sandbox": sandboxes, "secrets": SecretSettings(directory=tmp_path)})
        with opened(Toolbox(settings).sandboxes) as sandbox:
            result = sandbox.exec(["python3", "-c", ASK], phase=Phase.AGENT)
    assert result.exit_status == 0, result.stderr
    assert key in server.heard.decode()
    assert key not in result.stdout
    assert key not in Redaction.apply(f"the key is {key}")


def told(server: Server, secured: ssl.SSLSocket) -> None:
    server.read_request(secured)
    secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def test_a_policy_without_a_phase_has_no_way_out_in_it(make: MakeBackend, index: Server) -> None:
    settings = {"setup_hosts": (HOST,), "agent_hosts": (HOST,), "ports": (index.port,)}
    with opened(make(egress=settings, network=("agent",))) as sandbox:
        assert sandbox.exec(fetch(index.port), phase=Phase.SETUP).exit_status == 1
        assert sandbox.exec(fetch(index.port), phase=Phase.AGENT).exit_status == 0
    with opened(make(egress=settings, network=())) as sandbox:
        assert sandbox.exec(fetch(index.port), phase=Phase.AGENT).exit_status == 1
        assert sandbox.exec(["ls", str(INSIDE)], phase=Phase.AGENT).exit_status != 0


def test_without_settings_nothing_is_shown(make: MakeBackend, directory: Path) -> None:
    with opened(make()) as sandbox:
        assert sandbox.exec(["ls", str(INSIDE)], phase=Phase.SETUP).exit_status != 0
        assert os.listdir(directory) == []


def test_there_is_still_no_other_network(make: MakeBackend, index: Server) -> None:
    addresses = [(OUTSIDE, index.port), ("127.0.0.1", index.port), ("169.254.169.254", 80), ("1.1.1.1", 443)]
    with opened(make(egress={"setup_hosts": (HOST,)})) as sandbox:
        script = DIRECT.format(addresses=addresses)
        result = sandbox.exec(["python3", "-c", script], phase=Phase.SETUP)
        assert (result.exit_status, result.stdout) == (0, ""), result.stderr
        devices = sandbox.exec(["sh", "-c", "tail -n +3 /proc/net/dev | cut -d: -f1"], phase=Phase.SETUP)
        assert devices.stdout.split() == ["lo"]
    assert index.accepted == 0


def test_the_folder_cannot_be_changed_from_inside(make: MakeBackend) -> None:
    script = f"""
    cd {INSIDE} || exit 9
    rm -f proxy.sock forwarder.py; mv proxy.sock other; touch new; echo x > forwarder.py; chmod 777 .
    ln -s /etc/passwd link; mkdir folder; ls -A | sort
    """
    with opened(make(egress={"setup_hosts": (HOST,)})) as sandbox:
        result = sandbox.exec(["sh", "-c", script], phase=Phase.SETUP)
        mounts = sandbox.exec(["cat", "/proc/mounts"]).stdout.splitlines()
    assert result.stdout.split() == ["certificates.pem", "forwarder.py", "proxy.sock"]
    (options,) = [line.split()[3] for line in mounts if line.split()[1] == str(INSIDE)]
    assert "ro" in options.split(",")


def test_what_a_phase_leaves_behind_has_no_way_out_later(make: MakeBackend, index: Server, trail: Trail) -> None:
    linger = f'while true; do {" ".join(fetch(index.port)[:1])} -c "$1" > result 2>&1; sleep 0.1; done &'
    with opened(make(egress={"setup_hosts": (HOST,), "ports": (index.port,)})) as sandbox:
        sandbox.exec(["sh", "-c", linger, "linger", fetch(index.port)[2]], phase=Phase.SETUP)
        accepted = index.accepted
        look = "import socket; socket.socket(socket.AF_UNIX).connect('" + str(INSIDE / "proxy.sock") + "')"
        result = sandbox.exec(["sh", "-c", f'sleep 1; python3 -c "{look}"'])
        assert "FileNotFoundError" in result.stderr
    assert index.accepted <= accepted + 1


def test_two_sandboxes_do_not_see_each_others_way_out(make: MakeBackend, index: Server, directory: Path) -> None:
    settings = {"setup_hosts": (HOST,), "ports": (index.port,)}
    with opened(make(egress=settings)) as first, opened(make(egress=settings)) as second:
        folders = os.listdir(directory)
        assert len(folders) == 2
        search = f"ls -R {directory} / 2> /dev/null | grep -c 'proxy.sock'; cat /proc/net/unix | grep -c {directory}"
        for sandbox in (first, second):
            result = sandbox.exec(["sh", "-c", search], phase=Phase.SETUP)
            assert [int(word) for word in result.stdout.split()] in ([1, 0], [2, 0])  # with a link to it, twice
        assert first.exec(fetch(index.port), phase=Phase.SETUP).exit_status == 0
    assert os.listdir(directory) == []


def test_the_command_is_what_it_is_without_a_way_out(make: MakeBackend) -> None:
    with opened(make(egress={"setup_hosts": (HOST,)})) as sandbox:
        assert sandbox.exec(["sh", "-c", "cat; exit 7"], stdin=b"in", phase=Phase.SETUP).model_dump(
            include={"exit_status", "stdout", "stderr", "timed_out"}
        ) == {"exit_status": 7, "stdout": "in", "stderr": "", "timed_out": False}
        assert sandbox.exec(["no-such-program"], phase=Phase.SETUP).exit_status == 127
        assert sandbox.exec(["sleep", "60"], timeout=2, phase=Phase.SETUP).timed_out


def test_the_forwarder_holds_nothing_of_a_command_open(make: MakeBackend) -> None:
    script = """
    for process in /proc/[0-9]*; do
        if tr '\\0' ' ' < $process/cmdline | grep -q '^python3 -I .*forwarder.py'; then
            readlink $process/fd/0 $process/fd/1 $process/fd/2
        fi
    done 2> /dev/null
    """
    with opened(make(egress={"setup_hosts": (HOST,)})) as sandbox:
        sandbox.exec(["true"], phase=Phase.SETUP)
        result = sandbox.exec(["sh", "-c", script], phase=Phase.SETUP)
    assert result.stdout.split() == ["/dev/null"] * 3


def test_what_a_killed_worker_left_is_reaped(make: MakeBackend, directory: Path) -> None:
    backend = make(egress={"setup_hosts": (HOST,)})
    live = f"{MARK}-{uuid.uuid4().hex}"
    for name, run in (("a", live), ("b", "gone")):
        (directory / name / "shown").mkdir(parents=True)
        (directory / name / "run").write_text(run)
    (directory / "new").mkdir()  # that does not say yet whose it is
    found = {(thing.kind, thing.name, thing.run) for thing in backend.belongings() if thing.kind is Kind.SOCKET}
    assert found == {(Kind.SOCKET, "a", live), (Kind.SOCKET, "b", "gone"), (Kind.SOCKET, "new", "")}
    assert backend.reap({live}) == ["b"]
    os.utime(directory / "new", (0, 0))
    assert backend.reap({live}) == ["new"]
    with backend.open(live):
        assert "a" not in os.listdir(directory)


def packages_from_here(place: Place, directory: Path) -> Backend:
    """A backend whose setup may reach this machine's own indexes, wherever their names lead."""
    try:
        indexes = read_indexes()
        addresses = [ip_address(found) for host, port in indexes.places for found in resolved(host, port)]
    except (ConfigurationError, OSError):
        addresses = []
    require(addresses, "no package index can be reached from this machine")
    inside = tuple(str(address) for address in addresses if not is_global(address))
    kinds = {"docker": DockerBackend, "bubblewrap": BubblewrapBackend}
    egress = Egress(EgressSettings(indexes=True, networks=inside, directory=directory))
    return kinds[place.settings.backend](place.settings, egress)


@pytest.mark.bubblewrap
def test_npm_gets_a_package_too(tmp_path: Path, directory: Path, trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    node = ROOT / ".tools" / "node"
    require((node / "bin" / "npm").exists(), "npm; install it with: ops/tools node")
    monkeypatch.setenv("PATH", f"{node / 'bin'}:{os.environ['PATH']}")
    place = BubblewrapPlace(tmp_path)
    with_npm = {"binds": (*place.settings.binds, node), "path": f"{node / 'bin'}:{place.settings.path}"}
    place.settings = place.settings.model_copy(update=with_npm)
    with opened(packages_from_here(place, directory)) as sandbox:
        install = ["npm", "install", "--no-audit", "--no-fund", "--no-update-notifier", "left-pad"]
        result = sandbox.exec(install, phase=Phase.SETUP)
        assert result.exit_status == 0, result.stderr
    assert set(trail.verdicts) == {"allowed"}


def test_pip_gets_a_package_from_this_machines_index(place: Place, directory: Path, trail: Trail) -> None:
    backend = packages_from_here(place, directory)
    download = ["python3", "-m", "pip", "download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "six"]
    with opened(backend) as sandbox:
        result = sandbox.exec([*download, "--retries", "1"], phase=Phase.SETUP)
        assert result.exit_status == 0, result.stderr + result.stdout
        assert sandbox.exec(["sh", "-c", "ls six-*.whl"]).exit_status == 0
        assert sandbox.exec([*download, "--retries", "0"], timeout=30).exit_status != 0
    assert set(trail.verdicts) == {"allowed"}
