"""A control worker's toolbox, a forge, and people of every permission around one repository."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery, current_app
from github import Auth, Github
from github.Issue import Issue
from github.Repository import Repository

from entropy.forge.records import issues, repositories, users
from entropy.lifecycle.claim import claim
from entropy.lifecycle.cleanup import cleanup
from entropy.lifecycle.initialize import initialize
from entropy.lifecycle.report import report
from entropy.models import Run, Stage, WorkItem
from entropy.settings import Settings, inherited, settings
from entropy.wiring import Toolbox, equip
from tests.chaos.work import Task, seed
from tests.forge_server import ForgeServer, running_forge

NAME = "acme/chaos-0"
CODE = "entropy:code"
RECIPE = "recipe:1"
PEOPLE = {"ada": "admin", "wanda": "write", "mona": "maintain", "trudy": "triage", "mallory": "read"}


class Office:
    def __init__(self, tools: Toolbox, forge: ForgeServer, tokens: dict[str, str]) -> None:
        self.tools = tools
        self.forge = forge
        self._tokens = tokens

    def repository(self, login: str) -> Repository:
        """The repository as somebody sees it."""
        token = Auth.Token(self._tokens[login])
        options: dict[str, Any] = {"retry": None, "seconds_between_writes": 0, "seconds_between_requests": 0}
        return Github(auth=token, base_url=self.forge.api, **options).get_repo(NAME)

    def issue(self, number: int, login: str) -> Issue:
        return self.repository(login).get_issue(number)

    def filed(self, *labels: str, by: str = "ada", body: str = "Please.") -> int:
        """The number of a new issue that has its labels from whoever files it, as an issue template would set them."""
        with self.forge.store.write() as db:
            home, person = repositories.named(db, NAME), users.named(db, by)
            assert home is not None
            assert person is not None
            issue = issues.create(db, home["id"], person["id"], title="Do it", body=body)
            issues.add_labels(db, issue, person["id"], labels)
            return int(issue["number"])

    def permit(self, login: str, permission: str) -> None:
        """What somebody may do from now on."""
        self.forge.store.add_collaborator(NAME, login, permission)

    def admitted(self, number: int, *, role: str = "coder", trigger: str | None = CODE) -> Run:
        _, run_id = self.tools.runs.admit(WorkItem(repository=NAME, number=number), role, trigger=trigger)
        return self.tools.runs.get(run_id)

    def initialized(self, number: int, *, role: str = "coder", trigger: str | None = CODE) -> Run:
        return initialize(self.admitted(number, role=role, trigger=trigger), self.tools)

    def claimed(self, run: Run) -> Run:
        return claim(run.evolve(stage=Stage.CLAIM), self.tools)

    def told(self, run: Run) -> Run:
        """What became of a run that was concluded early, after its report."""
        after = report(run.evolve(stage=Stage.REPORT), self.tools)
        return cleanup(after, self.tools)

    def push(self, branch: str, *, author: str, committer: str, folder: Path) -> str:
        """A commit on top of a branch, new or not, made by these logins or addresses; gives its id."""
        clone = folder / "clone"
        if not clone.exists():
            git("clone", "-q", self.forge.remote(NAME, self._tokens["wanda"]), str(clone), at=folder)
        git("checkout", "-q", "-B", branch, at=clone)
        with (clone / "changes.txt").open("a") as file:
            file.write("changed\n")
        git("add", "-A", at=clone)
        who = {"AUTHOR": self._address(author), "COMMITTER": self._address(committer)}
        signed = {
            f"GIT_{role}_{part}": value
            for role, email in who.items()
            for part, value in (("NAME", "x"), ("EMAIL", email))
        }
        git("commit", "-qm", "Change", at=clone, more=signed)
        git("push", "-q", "origin", branch, at=clone)
        return git("rev-parse", "HEAD", at=clone).strip()

    def push_back(self, branch: str, commit: str, *, by: str, folder: Path) -> None:
        """Somebody brings a branch by force to a commit that it was at before."""
        git(
            "push",
            "-qf",
            self.forge.remote(NAME, self._tokens[by]),
            f"{commit}:refs/heads/{branch}",
            at=folder / "clone",
        )

    def move_main(self, folder: Path) -> str:
        """Somebody puts another file of the name that `push` changes on the default branch; gives the commit."""
        clone = folder / "clone"
        who = {f"GIT_{role}_{part}": "wanda" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
        git("checkout", "-q", "main", at=clone)
        (clone / "changes.txt").write_text("otherwise\n")
        git("add", "-A", at=clone)
        git("commit", "-qm", "Otherwise", at=clone, more=who)
        git("push", "-q", "origin", "main", at=clone)
        return git("rev-parse", "HEAD", at=clone).strip()

    def _address(self, login: str) -> str:
        if "@" in login:
            return login
        with self.forge.store.read() as db:
            user = users.named(db, login)
            assert user is not None
            return f"{user['id']}+{login}@users.noreply.127.0.0.1"

    def comments(self, number: int) -> list[tuple[str, str]]:
        return [(comment.user.login, comment.body) for comment in self.issue(number, "ada").get_comments()]

    def labels(self, number: int) -> set[str]:
        return {label.name for label in self.issue(number, "ada").labels}


def git(*arguments: str, at: Path, more: Mapping[str, str] | None = None) -> str:
    environment = {**inherited("PATH"), **(more or {})}
    done = subprocess.run(["git", *arguments], cwd=at, check=True, capture_output=True, text=True, env=environment)
    return done.stdout


@contextmanager
def open_office(folder: Path, redis_url: str, **trust: object) -> Iterator[Office]:
    with running_forge(folder) as forge:
        seed(forge.store, folder / "secrets", (Task(NAME, 1, 0),), trigger=CODE)
        tokens = {login: forge.store.add_user(login) for login in PEOPLE}
        tokens["entropy-coder"] = (folder / "secrets" / "coder_github_token").read_text()
        for login, permission in PEOPLE.items():
            forge.store.add_collaborator(NAME, login, permission)
        tools = Toolbox(
            Settings.model_validate(
                {
                    "redis": {"url": redis_url},
                    "github": {"api": forge.api, "repositories": (NAME,)},
                    "secrets": {"directory": folder / "secrets"},
                    "repository": {"cache": folder / "mirrors"},
                    "trust": trust,
                }
            )
        )
        before, app = current_app._get_current_object(), Celery("office", broker=redis_url)
        app.set_current()
        equip(lambda: tools)  # what is dispatched stays in this Redis, for nobody
        try:
            yield Office(tools, forge, tokens)
        finally:
            app.close()
            before.set_current()
            equip(lambda: Toolbox(settings()))
            for role in (*tools.agents.roles(), "scheduler"):
                tools.github(role).close()
            tools.connection.close()
