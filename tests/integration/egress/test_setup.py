"""A repository's setup with a real package index: what it installs is there for runs, which have no way out."""

import hashlib
import io
import ssl
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from entropy.items import Setup
from entropy.sandbox.backends.bubblewrap import BubblewrapBackend
from entropy.sandbox.backends.docker import DockerBackend
from entropy.sandbox.caches import locks_of
from entropy.sandbox.egress.indexes import Indexes
from entropy.sandbox.egress.outlet import Egress
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import EgressSettings
from tests.integration.egress.authority import Authority
from tests.integration.egress.conftest import HOST, Trail
from tests.integration.egress.world import OUTSIDE, Names, Server
from tests.integration.sandbox.places import MARK, PLACES, Place

KINDS = {"docker": DockerBackend, "bubblewrap": BubblewrapBackend}
WHEEL = "gadgets-1.0-py3-none-any.whl"
INSTALL = ("python3", "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", "--target", "lib")
USE = "import sys; sys.path.insert(0, '/cache/lib'); import gadgets; print(gadgets.SIZE, gadgets.__file__)"


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in PLACES])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with closing(PLACES[request.param](tmp_path)) as place:
        yield place


def wheel() -> bytes:
    packed = io.BytesIO()
    facts = "gadgets-1.0.dist-info"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("gadgets.py", "SIZE = 3\n")
        archive.writestr(f"{facts}/METADATA", "Metadata-Version: 2.1\nName: gadgets\nVersion: 1.0\n")
        archive.writestr(
            f"{facts}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{facts}/RECORD", "")
    return packed.getvalue()


@pytest.fixture
def index(authority: Authority) -> Iterator[Server]:
    """A simple index of one package."""
    content = wheel()
    pages = {
        b"/simple/gadgets/": (b"text/html", f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode()),
        f"/files/{WHEEL}".encode(): (b"application/octet-stream", content),
    }

    def answer(secured: ssl.SSLSocket) -> None:
        path = server.read_request(secured).split(b" ")[1]
        kind, body = pages.get(path, (b"text/plain", b""))
        status = b"200 OK" if path in pages else b"404 Not Found"
        head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        secured.sendall(head % (status, kind, len(body)) + body)

    with Server(authority.server(HOST), answer) as server:
        yield server


@pytest.fixture
def ways(index: Server, authority: Authority, names: Names, tmp_path_factory: pytest.TempPathFactory) -> Egress:
    directory = tmp_path_factory.mktemp("out")  # short, as a socket's path has to be
    networks = (f"{OUTSIDE}/32",)
    settings = EgressSettings(indexes=True, directory=directory, networks=networks, certificates=authority.path)
    found = Indexes(pip=f"https://{HOST}:{index.port}/simple/", places=((HOST, index.port),))
    return Egress(settings, resolve=names.resolve, indexes=lambda: found)


def test_what_setup_installs_is_there_without_a_way_out(
    place: Place, ways: Egress, index: Server, trail: Trail
) -> None:
    backend = KINDS[place.settings.backend](place.settings, ways)
    locks = locks_of({"dev.txt": f"gadgets==1.0 --hash=sha256:{hashlib.sha256(wheel()).hexdigest()}\n".encode()})
    setup, policy = Setup(command=(*INSTALL, "-r", "dev.txt"), files=("dev.txt",)), SandboxPolicy.of(place.settings)
    run_id = f"{MARK}-{uuid.uuid4().hex}"
    provision = backend.caches.provide(setup, locks, policy, run_id=run_id, repository="acme/widgets")
    assert provision.name, provision
    assert set(trail.verdicts) == {"allowed"}
    asked = index.accepted
    with backend.open(run_id, policy.model_copy(update={"cache": provision.name})) as sandbox:
        used = sandbox.exec(["python3", "-c", USE])
        assert used.stdout == "3 /cache/lib/gadgets.py\n", used.stderr
        assert sandbox.exec([*INSTALL, "gadgets", "--retries", "0"], timeout=30).exit_status != 0
    assert backend.caches.provide(setup, locks, policy, run_id=run_id, repository="acme/widgets").name == provision.name
    assert index.accepted == asked
    backend.clear()
