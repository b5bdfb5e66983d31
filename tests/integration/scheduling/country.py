"""A forge with many repositories, a scheduler's toolbox, and one person who does things there."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery, current_app
from starlette.types import ASGIApp

from entropy.forge.records import users
from entropy.scheduling.scheduler import TaskScheduler
from entropy.settings import Settings
from entropy.wiring import Toolbox, equip
from tests.bench.seeding import OWNER, PERSON, SCHEDULER, grow
from tests.forge_server import ForgeServer, running_forge

CODE = "entropy:code"
Wrap = Callable[[ASGIApp], ASGIApp] | None


@dataclass
class Country:
    tools: Toolbox
    forge: ForgeServer
    repositories: list[str]
    token: str

    def discover(self) -> list[str]:
        """What is due, as a beat has it looked at; the items for which runs were started."""
        return sorted(str(self.tools.runs.get(run).item) for run in TaskScheduler(self.tools).discover())

    def later(self) -> list[str]:
        """The same once every repository is due again."""
        self.tools.rounds.hasten()
        return self.discover()

    def issue(self, repository: str, *labels: str) -> int:
        made = self.person("POST", f"/repos/{repository}/issues", {"title": "A bug", "labels": list(labels)})
        return int(made["number"])

    def label(self, repository: str, number: int, label: str = CODE) -> None:
        self.person("POST", f"/repos/{repository}/issues/{number}/labels", {"labels": [label]})

    def age(self, seconds: int = 60) -> None:
        """What happened so far happened so much earlier."""
        with self.forge.store.write() as db:
            db.execute(
                "UPDATE issues SET updated = strftime('%Y-%m-%dT%H:%M:%SZ', updated, ?)", (f"-{seconds} seconds",)
            )

    def person(self, verb: str, path: str, body: Any = None) -> Any:
        return self._ask(verb, f"{self.forge.api}{path}", body)

    def charged(self, bucket: str = "core") -> int:
        """What the scheduler was charged for since it was last asked, for which it counts anew."""
        return int(self.usage(reset=True).get(bucket, {}).get("charged", 0))

    def usage(self, *, reset: bool) -> dict[str, Any]:
        """What the forge counted of the scheduler, by bucket."""
        told = self._ask("GET", f"{self.forge.url}/_usage")
        if reset:
            self._ask("DELETE", f"{self.forge.url}/_usage")
        return next((each for each in told["identities"] if self._is_ours(each)), {})

    def _is_ours(self, usage: dict[str, Any]) -> bool:
        if usage["identity"].startswith("installation ID"):
            return True
        with self.forge.store.read() as db:
            user = users.named(db, SCHEDULER)
        assert user is not None
        return bool(usage["identity"] == f"user ID {user['id']}")

    def _ask(self, verb: str, url: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=verb), timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@contextmanager
def open_country(
    folder: Path,
    redis_url: str,
    count: int = 1,
    *,
    github: dict[str, object] | None = None,
    wrap: Wrap = None,
    **scheduling: object,
) -> Iterator[Country]:
    with running_forge(folder, wrap=wrap) as forge:
        names = grow(forge.store, folder, count)
        secrets = folder / "secrets"
        secrets.mkdir(mode=0o700)
        file = secrets / "scheduler_github_token"
        file.touch(mode=0o600)
        file.write_text(forge.store.add_user(SCHEDULER))
        told = {
            "redis": {"url": redis_url},
            "github": {"api": forge.api, "repositories": names, **(github or {})},
            "secrets": {"directory": secrets},
            "scheduling": {"interval": 1e6, **scheduling},  # nothing falls due during a test
        }
        tools = Toolbox(Settings.model_validate(told))
        _as_app(forge, secrets)
        before, app = current_app._get_current_object(), Celery("country", broker=redis_url)
        app.set_current()
        equip(lambda: tools)  # what is dispatched stays in this Redis, for nobody
        try:
            yield Country(tools, forge, names, forge.store.add_user(PERSON))
        finally:
            tools.github("scheduler").close()
            tools.connection.close()
            app.close()
            before.set_current()


def _as_app(forge: ForgeServer, secrets: Path) -> None:
    """An App, with the number 1, that is installed on everything of the owner; for who is told to use it."""
    app = forge.store.add_app("entropy")
    forge.store.install_app(app.id, OWNER, None, {"metadata": "read", "issues": "write", "pull_requests": "read"})
    file = secrets / "scheduler_github_app_key"
    file.touch(mode=0o600)
    file.write_text(app.private_key_pem)
