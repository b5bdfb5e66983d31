"""Sixteen worker processes that write without end, under GitHub's own limits: what the forge counts of it."""

import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

from entropy.github import GitHub
from entropy.models import Secret, WorkItem
from entropy.settings import GitHubSettings
from tests.forge_server import ForgeServer, running_forge
from tests.integration.github import fleet
from tests.integration.github.fleet import Plan
from tests.redis_server import running_redis

WORKERS = 16
REPOSITORY = "acme/widgets"
GRANTED = {"contents": "write", "issues": "write", "pull_requests": "write"}
MINUTE = 60.0


def held(seconds: float) -> dict[str, Any]:
    """One row; the forge refuses what is above 80 a minute or 500 an hour, and should never have to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "redis").mkdir()
        (folder / "source").mkdir()
        (folder / "source" / "text.txt").write_text("once\n")
        with running_redis(folder / "redis") as redis_url, running_forge(folder) as forge:
            items = _issues(forge, folder / "source")
            app = forge.store.add_app("Entropy")
            forge.store.install_app(app.id, "acme", None, GRANTED)
            forge.store.limits.enforced = True
            forge.store.limits.reset()
            plan = Plan(forge.api, redis_url, app.id, app.private_key_pem, MINUTE, writes=80, content=500)
            return _row(forge, plan, items, seconds)


def _issues(forge: ForgeServer, source: Path) -> list[WorkItem]:
    forge.store.import_repository(source, REPOSITORY)
    token = forge.store.enrol("owner", name=None, full_name=REPOSITORY, permission="admin")
    path, found = f"/repos/{REPOSITORY}/issues", []
    with GitHub(GitHubSettings(api=forge.api), Secret(token)) as owner:
        for _ in range(WORKERS):
            made = owner._connection.write("POST", path, {"title": "t"}, target=REPOSITORY, action="open")
            found.append(WorkItem(repository=REPOSITORY, number=made["number"]))
    return found


def _row(forge: ForgeServer, plan: Plan, items: list[WorkItem], seconds: float) -> dict[str, Any]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([fleet.__name__])
    until = time.time() + seconds
    with context.Pool(WORKERS) as pool:
        efforts = [
            effort for done in pool.starmap(fleet.talk, [(plan, item, until) for item in items]) for effort in done
        ]
    with forge.store.read() as db:
        rows = db.execute("SELECT time, status FROM journal WHERE login LIKE '%[bot]' AND path LIKE '%/repos/%'")
        lines = [(row["time"], row["status"]) for row in rows]
    (usage,) = (each["content"] for each in forge.store.limits.usage() if each["content"]["total"])
    return {
        "workers": WORKERS,
        "seconds": seconds,
        "writes": len(lines),
        "most_writes_in_a_minute": max(sum(at <= other < at + MINUTE for other, _ in lines) for at, _ in lines),
        "content": usage["total"],
        "most_content_in_a_minute": usage["most_per_minute"],
        "most_content_in_an_hour": usage["most_per_hour"],
        "refused": sum(status >= 400 for _, status in lines),
        "put_off": sum(effort.put_off for effort in efforts),
    }
