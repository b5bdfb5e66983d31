"""Where the forge keeps everything: one SQLite file and one bare git repository per repository, below one folder."""

import contextlib
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from entropy.forge import growth, importing
from entropy.forge.apps import KNOWN, App, new_key, slug_of
from entropy.forge.gitrepo import GitRepository
from entropy.forge.limits import Limits
from entropy.forge.names import is_login
from entropy.forge.permissions import Level
from entropy.forge.records import apps, moves, repositories, tips, users

GITCONFIG = """\
[safe]
\tdirectory = *
[gc]
\tauto = 0
[receive]
\tautogc = false
\thideRefs = refs/pull
[uploadpack]
\tallowReachableSHA1InWant = true
[http]
\treceivepack = true
[core]
\tlogAllRefUpdates = false
[advice]
\tdetachedHead = false
"""


class StoreError(Exception):
    """What a person asked of the store and cannot have; the message is one sentence."""


class Store:
    """Open for as long as it is needed, from several processes and threads at once; close it at the end."""

    def __init__(self, data: Path) -> None:
        self.data = data.absolute()
        self._idle: list[sqlite3.Connection] = []
        self._pool = threading.Lock()
        self._writer = threading.Lock()
        self.limits = Limits()
        self.signing_key = secrets.token_bytes(32)
        """What addresses are signed with that need no other credential."""
        self.token_seconds = 3600.0
        """How long the token of an installation lives."""
        self.finishing: list[Callable[[sqlite3.Connection], None]] = []
        """What is done at the end of every change, inside its transaction."""
        self.written = threading.Event()
        """Set by every change; who waits for changes clears it."""
        try:
            (self.data / "repositories").mkdir(parents=True, exist_ok=True)
            self.gitconfig = self.data / "gitconfig"
            if not self.gitconfig.exists() or self.gitconfig.read_text() != GITCONFIG:
                self.gitconfig.write_text(GITCONFIG)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{data} cannot hold a forge's data: {error}.") from None

    def _prepare(self) -> None:
        with self.read() as db:
            db.execute("PRAGMA journal_mode = WAL")
        with self.write() as db:
            growth.bring_up(db)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._pool:
            while self._idle:
                self._idle.pop().close()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._pool:
            db = self._idle.pop() if self._idle else None
        if db is None:
            db = sqlite3.connect(self.data / "forge.db", timeout=30, isolation_level=None, check_same_thread=False)
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA synchronous = NORMAL")
        try:
            yield db
        finally:
            if db.in_transaction:
                db.rollback()
            with self._pool:
                self._idle.append(db)

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection for looking."""
        with self._connection() as db:
            yield db

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The one write transaction; commits at the end, unless something is raised."""
        with self._writer, self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            for finish in self.finishing:
                finish(db)
            db.commit()
        self.written.set()

    def git(self, repository: sqlite3.Row) -> GitRepository:
        return GitRepository(self.directory(repository), self.gitconfig)

    def directory(self, repository: sqlite3.Row) -> Path:
        return self.data / "repositories" / str(repository["directory"])

    def import_repository(self, source: Path, full_name: str, *, private: bool = False) -> str:
        """Take in a git repository or a folder of sources; the default branch's name comes back."""
        owner, name = repositories.split(full_name) or (None, None)
        if owner is None or name is None:
            raise StoreError(f"{full_name!r} is not a repository's name; write it as owner/name.")
        with self.read() as db:
            self._refuse_taken(db, full_name)
        directory = f"{secrets.token_hex(8)}.git"
        target = self.data / "repositories" / directory
        try:
            branch = importing.take(source, GitRepository(target, self.gitconfig))
            with self.write() as db:
                self._refuse_taken(db, full_name)
                made = repositories.create(db, (owner, name), branch=branch, directory=directory)
                repositories.set_private(db, made, private=private)
                tips.remember(db, made, GitRepository(target, self.gitconfig).tips())
        except BaseException as error:
            shutil.rmtree(target, ignore_errors=True)
            if isinstance(error, importing.ImportRefused):
                raise StoreError(str(error)) from None
            raise
        return branch

    @staticmethod
    def _refuse_taken(db: sqlite3.Connection, full_name: str) -> None:
        if repositories.named(db, full_name):
            raise StoreError(f"{full_name} is here already; import under another name.")

    def add_user(self, login: str, name: str | None = None) -> str:
        """Create the user if new; a fresh token comes back, which is shown this once."""
        with self.write() as db:
            return self._user_token(db, login, name)

    def add_collaborator(self, full_name: str, login: str, permission: str) -> None:
        with self.write() as db:
            self._collaborate(db, full_name, login, permission)

    def enrol(self, login: str, *, name: str | None, full_name: str, permission: str) -> str:
        """`add_user` and `add_collaborator`, both or neither."""
        with self.write() as db:
            token = self._user_token(db, login, name)
            self._collaborate(db, full_name, login, permission)
            return token

    @staticmethod
    def _user_token(db: sqlite3.Connection, login: str, name: str | None) -> str:
        if not is_login(login):
            raise StoreError(f"{login!r} is not a login; use letters, digits and single hyphens, at most 39.")
        token = users.enrol(db, login, name)
        if token is None:
            raise StoreError(f"{name!r} is not a name that a commit can carry; use letters.")
        return token

    @staticmethod
    def _collaborate(db: sqlite3.Connection, full_name: str, login: str, permission: str) -> None:
        if permission.upper() not in Level.__members__ or permission.upper() == "NONE":
            raise StoreError(f"{permission!r} is not a permission; use read, triage, write, maintain or admin.")
        repository, user = repositories.named(db, full_name), users.named(db, login)
        if repository is None:
            raise StoreError(f"{full_name} is not here; import it first.")
        if user is None:
            raise StoreError(f"{login} is not a user here; add the user first.")
        repositories.set_permission(db, repository["id"], user["id"], permission.lower())

    def add_app(self, name: str, *, owner: str = "") -> App:
        """A new GitHub App; its private key is shown this once. `owner` is whose it is, by default its own name's."""
        slug = slug_of(name)
        if not is_login(slug):
            raise StoreError(f"{name!r} is not a name for an app; use letters, digits and spaces, at most 34.")
        private, public = new_key()
        with self.write() as db:
            if apps.named(db, slug) or users.named(db, f"{slug}[bot]"):
                raise StoreError(f"An app called {slug} is here already; choose another name.")
            row = apps.create(db, slug=slug, name=name, owner=owner or slug, public_key=public)
        return App(row["id"], row["slug"], private)

    def install_app(
        self, app_id: int, owner_login: str, repositories: Sequence[str] | None, permissions: Mapping[str, str]
    ) -> int:
        """Install an app, or change how it is installed; its id comes back. None means all repositories of the owner.

        `permissions` are GitHub's, as in ``{"contents": "write", "issues": "read"}``.
        """
        wrong = [name for name, level in permissions.items() if name not in KNOWN or level not in {"read", "write"}]
        if wrong:
            raise StoreError(
                f"{', '.join(wrong)} cannot be given to an app here; choose read or write for a known one."
            )
        with self.write() as db:
            account = users.owner(db, owner_login)
            if apps.numbered(db, app_id) is None:
                raise StoreError(f"There is no app {app_id} here; add it first.")
            known = apps.installed_on(db, app_id, account["id"])
            former = apps.reached(db, known["id"]) if known else None
            row = apps.install(db, app_id, account["id"], {"metadata": "read", **permissions})
            if repositories is not None:
                names = (name if "/" in name else f"{owner_login}/{name}" for name in repositories)
                apps.choose(db, row["id"], [self._home(db, name)["id"] for name in names])
            apps.tell_change(db, former, row["id"])
        return int(row["id"])

    def rename(self, full_name: str, name: str) -> None:
        """The former name leads to the repository from now on."""
        self._move(full_name, (full_name.partition("/")[0], name))

    def transfer(self, full_name: str, owner: str) -> None:
        """To another owner, who is made where nobody has this login; the former name leads there."""
        self._move(full_name, (owner, full_name.rpartition("/")[2]))

    def _move(self, full_name: str, target: tuple[str, str]) -> None:
        new = "/".join(target)
        if repositories.split(new) is None:
            raise StoreError(f"{new!r} is not a repository's name; write it as owner/name.")
        with self.write() as db:
            home = self._home(db, full_name)
            other = repositories.named(db, new)
            if other and other["id"] != home["id"]:
                raise StoreError(f"{new} is here already; choose another name.")
            moves.transfer(db, home, *target)

    def archive(self, full_name: str, *, archived: bool = True) -> None:
        """Nothing is written to it any more, until it is taken out of the archive."""
        with self.write() as db:
            moves.archive(db, self._home(db, full_name), archived=archived)

    def delete(self, full_name: str) -> None:
        """Nobody finds it again; its files stay on the disk."""
        with self.write() as db:
            moves.delete(db, self._home(db, full_name))

    @staticmethod
    def _home(db: sqlite3.Connection, full_name: str) -> sqlite3.Row:
        row = repositories.named(db, full_name)
        if row is None:
            raise StoreError(f"{full_name} is not here; import it first.")
        return row

    def attach_log(self, run_id: int, content: bytes | None) -> None:
        """What the job behind a check run printed; None when that is gone."""
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO job_logs (run_id, content) VALUES (?, ?)", (run_id, content))

    @staticmethod
    def journal(db: sqlite3.Connection, *, request: tuple[str, str], login: str | None, status: int, body: str) -> None:
        """Note one write request; `request` is method and path."""
        db.execute(
            "INSERT INTO journal (time, method, path, login, status, body) VALUES (?, ?, ?, ?, ?, ?)",
            (time.time(), *request, login, status, body[:65536]),
        )
