"""A repository on disk, and real git smart HTTP in front of it."""

import base64
import io
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from entropy.models import Identity, Secret
from entropy.repository import Mirror, PatchRules
from entropy.settings import RepositorySettings
from tests.http_server import running

TOKEN = "ghp_a-token-that-nobody-may-see"
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


class Origin:
    """A bare repository as a forge has it, with a worktree for people beside it."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.work = folder / "origin.git", folder / "work"
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), at=folder)
        self.git("config", "http.receivepack", "true", at=self.bare)
        self.git("config", "uploadpack.allowAnySHA1InWant", "true", at=self.bare)
        self.git("clone", "--quiet", str(self.bare), str(self.work), at=folder)
        self.git("checkout", "--quiet", "-b", "main")

    def git(self, *arguments: str, at: Path | None = None, stdin: bytes = b"") -> bytes:
        return subprocess.run(
            ["git", *arguments], cwd=at or self.work, env=ENVIRONMENT, input=stdin, capture_output=True, check=True
        ).stdout

    def write(self, files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: dict[str, str | bytes], *, branch: str = "main") -> str:
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "A change")
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD").decode().strip()

    def staged_patch(self) -> bytes:
        """What is staged, as a patch; the worktree is clean again afterwards."""
        patch = self.git("diff", "--cached", "--binary", "--no-renames")
        self.git("reset", "--quiet", "--hard")
        self.git("clean", "--quiet", "-ffdx")
        return patch

    def patch(self, files: dict[str, str | bytes]) -> bytes:
        self.write(files)
        self.git("add", "--all")
        return self.staged_patch()


def tree_of(mirror: Mirror, commit: str) -> bytes:
    """The snapshot of a commit."""
    tree = io.BytesIO()
    mirror.snapshot(commit, into=tree)
    return tree.getvalue()


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path)
    origin.commit({"README.rst": "Widgets\n", "src/widgets.py": "SIZE = 1\n"})
    return origin


@pytest.fixture
def identity() -> Identity:
    return Identity(login="entropy-coder", name="Entropy coder", email="1+entropy-coder@users.noreply.example.org")


@pytest.fixture
def rules() -> PatchRules:
    return PatchRules(max_files=300)


@pytest.fixture
def cache(tmp_path: Path) -> RepositorySettings:
    return RepositorySettings(cache=tmp_path / "cache")


@pytest.fixture
def mirror(origin: Origin, cache: RepositorySettings) -> Mirror:
    mirror = Mirror(cache, url=f"file://{origin.bare}", token=None, protocols=("file",))
    mirror.fetch()
    return mirror


class _SmartHttp(BaseHTTPRequestHandler):
    """``git http-backend`` behind Basic authentication."""

    server: "Forge"

    def do_GET(self) -> None:
        self.server.seen.append(self.headers.get("Authorization"))
        self.server.asked.set()
        self.server.open.wait(30)
        redirect = self.server.redirect
        if redirect is not None:
            return self._answer(302, {"Location": redirect + self.path}, b"")
        if self.server.status is not None:
            return self._answer(self.server.status, {}, b"")
        if self.headers.get("Authorization") != self.server.authorization:
            return self._answer(401, {"WWW-Authenticate": "Basic"}, b"")
        return self._backend()

    do_POST = do_GET

    def _backend(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._body()
        surroundings = ENVIRONMENT | {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": "entropy-coder",
            "REMOTE_ADDR": "127.0.0.1",
        }
        answer = subprocess.run(["git", "http-backend"], env=surroundings, input=body, capture_output=True, check=True)
        head, _, content = answer.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        status = int(headers.pop("Status", "200").split()[0])
        self._answer(status, headers, content)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.server.sent += len(content)

    def log_message(self, *arguments: object) -> None:
        """Tests read `Forge.seen` instead."""


class Forge(ThreadingHTTPServer):
    """Serves what is below `root` to whoever has the token."""

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _SmartHttp)
        self.root = root
        self.authorization = "Basic " + base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        self.seen: list[str | None] = []
        self.sent = 0
        """Bytes of content in all answers."""
        self.asked, self.open = threading.Event(), threading.Event()
        self.open.set()
        self.status: int | None = None
        self.redirect: str | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(root: Path) -> Iterator[Forge]:
    with running(Forge(root)) as server:
        yield server


@pytest.fixture
def forge(origin: Origin) -> Iterator[Forge]:
    with serving(origin.bare.parent) as server:
        yield server


@pytest.fixture
def other_forge(tmp_path: Path) -> Iterator[Forge]:
    with serving(tmp_path) as server:
        yield server


@pytest.fixture
def http_mirror(forge: Forge, cache: RepositorySettings) -> Mirror:
    return Mirror(cache, url=f"{forge.address}/origin.git", token=Secret(TOKEN))


@pytest.fixture
def commit_patch(mirror: Mirror, identity: Identity) -> Callable[..., str]:
    """Commit a patch on main with the rules given, or with lenient ones."""

    def commit(patch: bytes, *, base: str = "main", when: float = 1_790_000_000, **bounds: object) -> str:
        chosen = PatchRules.model_validate({"max_files": 300} | bounds)
        return mirror.commit_patch(
            base, patch, message="Fix the widget\n\nCloses #1", identity=identity, when=when, rules=chosen
        )

    return commit
