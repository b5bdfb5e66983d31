"""A forge with one repository and four people, and a git that knows nothing of the machine's configuration."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from github import Auth, Github
from github.Repository import Repository
from starlette.types import ASGIApp

from entropy.forge.faults import Faults
from entropy.settings import inherited
from tests.contract.contract import github
from tests.contract.validator import Validating
from tests.forge_server import ForgeServer, running_forge
from tests.integration.forge.judged import NAME, Judged

PERMISSIONS = ("read", "triage", "write", "admin")
Git = Callable[..., str]


@dataclass(frozen=True)
class Village:
    """The server, and a token for a person of each permission, named after it; `stranger` has none."""

    server: ForgeServer
    tokens: dict[str, str]

    def client(self, login: str) -> Github:
        return Github(
            base_url=self.server.api,
            auth=Auth.Token(self.tokens[login]),
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )

    def remote(self, login: str) -> str:
        return self.server.remote(NAME, self.tokens[login])


@pytest.fixture
def git(tmp_path: Path) -> Git:
    environment = inherited("PATH") | {
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }

    def run(*arguments: str, cwd: Path) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.fixture
def source(tmp_path: Path, git: Git) -> Path:
    """A git repository with one commit on main."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "README.md").write_text("# Rocket\n\nGoes up.\n")
    (folder / "engine.py").write_text("def thrust():\n    return 1\n\n\ndef stop():\n    return 0\n")
    git("init", "--quiet", "--initial-branch=main", cwd=folder)
    git("add", ".", cwd=folder)
    git("commit", "--quiet", "-m", "Begin", cwd=folder)
    return folder


@pytest.fixture
def village(tmp_path: Path, source: Path) -> Iterator[Village]:
    with running_forge(tmp_path) as server:
        server.store.import_repository(source, NAME)
        tokens = {"stranger": server.store.add_user("stranger")}
        for permission in PERMISSIONS:
            tokens[permission] = server.store.enrol(permission, name=None, full_name=NAME, permission=permission)
        yield Village(server, tokens)


@pytest.fixture
def judged(tmp_path: Path, source: Path) -> Iterator[Judged]:
    """The same village, where every answer has to keep GitHub's contract."""
    judges: list[Validating] = []

    def wrap(app: ASGIApp) -> ASGIApp:
        judges.append(Validating(Faults(app), github()))
        return judges[0]

    with running_forge(tmp_path, wrap=wrap) as server:
        server.store.import_repository(source, NAME)
        tokens = {"stranger": server.store.add_user("stranger")}
        for permission in PERMISSIONS:
            tokens[permission] = server.store.enrol(permission, name=None, full_name=NAME, permission=permission)
        judged = Judged(server, tokens, judges[0])
        yield judged
    assert judged.wrong() == []


@pytest.fixture
def clone(tmp_path: Path, request: pytest.FixtureRequest, git: Git) -> Path:
    """A working copy whose origin may be pushed to."""
    village: Village | Judged = request.getfixturevalue("judged" if "judged" in request.fixturenames else "village")
    git("clone", "--quiet", village.server.remote(NAME, village.tokens["write"]), "clone", cwd=tmp_path)
    return tmp_path / "clone"


@pytest.fixture
def writer(village: Village) -> Iterator[Repository]:
    with village.client("write") as client:
        yield client.get_repo(NAME)


@pytest.fixture
def change(clone: Path, git: Git) -> Callable[..., str]:
    """Push a branch from main that changes one file; the head comes back."""

    def push(branch: str, *, path: str = "engine.py", content: str = "def thrust():\n    return 2\n") -> str:
        git("checkout", "--quiet", "-B", branch, "origin/main", cwd=clone)
        (clone / path).write_text(content)
        git("add", ".", cwd=clone)
        git("commit", "--quiet", "-m", f"Change {path}", cwd=clone)
        git("push", "--quiet", "--force", "origin", branch, cwd=clone)
        return git("rev-parse", "HEAD", cwd=clone)

    return push
