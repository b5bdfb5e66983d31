"""Sixteen worker processes that want ten times what the forge bears; its journal is the judge."""

import multiprocessing
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from entropy.github import GitHub
from entropy.models import Secret, WorkItem
from entropy.settings import GitHubSettings
from tests.forge_server import ForgeServer, running_forge
from tests.integration.github import fleet
from tests.integration.github.fleet import Effort, Plan

WORKERS = 16
EACH = 4
BOUND = 8
MINUTE = 0.6
"""Seconds that the forge and the workers call a minute here."""
REPOSITORY = "acme/widgets"
GRANTED = {"contents": "write", "issues": "write", "pull_requests": "write", "checks": "write"}
DEADLINE = 100
MERGES = 3
BEFORE = 10
"""Comments that are there when the first merge is asked for."""


class Line(NamedTuple):
    at: float
    method: str
    path: str
    status: int

    @property
    def comments(self) -> bool:
        return self.path.endswith("/comments")

    @property
    def merges(self) -> bool:
        return self.path.endswith("/merge")


class Story(NamedTuple):
    lines: list[Line]
    efforts: list[Effort]
    merging: list[Effort]
    usage: dict[str, Any]
    comments: list[int]
    tokens: int


def journal(forge: ForgeServer) -> list[Line]:
    """Every write to the repository by the App, as the forge noted it."""
    with forge.store.read() as db:
        rows = db.execute("SELECT time, method, path, status FROM journal WHERE login LIKE '%[bot]' ORDER BY id")
        lines = [Line(row["time"], row["method"], row["path"], row["status"]) for row in rows]
    return [line for line in lines if "/repos/" in line.path]


def issue(owner: GitHub, number: int) -> WorkItem:
    body = {"title": f"Issue {number}"}
    made = owner._connection.write("POST", f"/repos/{REPOSITORY}/issues", body, target=REPOSITORY, action="open")
    return WorkItem(repository=REPOSITORY, number=made["number"])


def pull(owner: GitHub, clone: Path, number: int) -> tuple[WorkItem, str]:
    """A pull request that touches a file of its own, and its head."""
    branch = f"change-{number}"
    git(clone, "checkout", "-q", "-b", branch, "origin/main")
    (clone / branch).write_text("new\n")
    git(clone, "add", "-A")
    git(clone, "-c", "user.name=owner", "-c", "user.email=owner@example.org", "commit", "-q", "-m", "Change")
    git(clone, "push", "-q", "origin", branch)
    made = owner.pulls.ensure(REPOSITORY, branch=branch, base="main", title=branch, body="Please.")
    return WorkItem(repository=REPOSITORY, number=made), git(clone, "rev-parse", "HEAD").strip()


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Story:
    folder = tmp_path_factory.mktemp("fleet")
    source = folder / "source"
    source.mkdir()
    (source / "text.txt").write_text("once\n")
    with running_forge(folder) as forge:
        forge.store.import_repository(source, REPOSITORY)
        token = forge.store.enrol("owner", name=None, full_name=REPOSITORY, permission="admin")
        app = forge.store.add_app("Entropy")
        forge.store.install_app(app.id, "acme", None, GRANTED)
        git(folder, "clone", "-q", forge.remote(REPOSITORY, token), "clone")
        with GitHub(GitHubSettings(api=forge.api), Secret(token)) as owner:
            items = [issue(owner, number) for number in range(WORKERS)]
            changes = [pull(owner, folder / "clone", number) for number in range(MERGES)]
        bounds = forge.store.limits
        bounds.enforced, bounds.content_per_minute, bounds.minute = True, BOUND, MINUTE
        bounds.reset()
        plan = Plan(forge.api, redis_server, app.id, app.private_key_pem, MINUTE, BOUND)
        efforts, merging = perform(forge, plan, items, changes)
        (usage,) = (each for each in bounds.usage() if each["content"]["total"])
        with forge.store.read() as db:
            counts = [row[0] for row in db.execute("SELECT count(*) FROM comments GROUP BY issue_id")]
            tokens = int(db.execute("SELECT count(*) FROM installation_tokens").fetchone()[0])
        return Story(journal(forge), efforts, merging, usage, counts, tokens)


def perform(
    forge: ForgeServer, plan: Plan, items: list[WorkItem], changes: list[tuple[WorkItem, str]]
) -> tuple[list[Effort], list[Effort]]:
    """All workers comment at once; in the middle of it another one has something to merge."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([fleet.__name__])
    with context.Pool(WORKERS + 1) as pool:
        commenting = [pool.apply_async(fleet.comments, (plan, item, EACH)) for item in items]
        deadline = time.monotonic() + DEADLINE
        while sum(line.comments for line in journal(forge)) < BEFORE:
            assert time.monotonic() < deadline, "nobody comments"
            time.sleep(0.01)
        merging = pool.apply(fleet.merges, (plan, changes))
        return [effort for each in commenting for effort in each.get(DEADLINE)], merging


def test_nothing_is_lost_and_nothing_is_done_twice(story: Story) -> None:
    assert story.comments == [EACH] * WORKERS
    assert [line.status for line in story.lines if line.merges] == [200] * MERGES
    assert {line.status for line in story.lines} <= {200, 201}


def test_the_forge_bears_it_and_refuses_nobody(story: Story) -> None:
    content = story.usage["content"]
    assert (content["refused"], content["total"]) == (0, WORKERS * EACH)
    assert content["most_per_minute"] <= BOUND


def test_in_no_minute_of_the_journal_are_there_more_writes_than_were_set(story: Story) -> None:
    times = [line.at for line in story.lines]
    assert max(sum(start <= at < start + MINUTE for at in times) for start in times) <= BOUND


def test_the_workers_wanted_ten_times_as_much(story: Story) -> None:
    """All were asked for within the first minutes, and most had to be put off."""
    first = min(effort.asked for effort in story.efforts)
    wanted = sum(effort.asked < first + MINUTE for effort in story.efforts) + sum(e.put_off for e in story.efforts)
    assert wanted > 10 * BOUND


def test_merges_pass_the_comments_that_wait(story: Story) -> None:
    merged = [line.at for line in story.lines if line.merges]
    for effort, at in zip(story.merging, merged, strict=True):
        assert sum(line.comments and effort.asked < line.at < at for line in story.lines) <= BOUND
    assert sum(line.comments and line.at > merged[-1] for line in story.lines) > BOUND


def test_all_workers_share_one_token_of_each_role(story: Story) -> None:
    assert story.tokens == len({"coder", "merger", "what looks for ids"})
