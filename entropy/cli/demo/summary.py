"""What came of each issue: the pull request, who reviewed it, where the time went, the diff."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from entropy.cli.demo.person import Person
from entropy.cli.demo.watch import keys
from entropy.models import Run, WorkItem
from entropy.settings import SchedulingSettings
from entropy.state.connection import RedisConnection
from entropy.state.runs import Runs

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from rich.console import Console

SHOWN_LINES = 24
MOST_RUNS = 200


class Summary:
    """Reads the runs from Redis, all else from the forge's public API and from a clone."""

    def __init__(self, connection: RedisConnection, person: Person, folder: Path) -> None:
        self._runs = Runs(connection, keys(), SchedulingSettings())
        self._person = person
        self._folder = folder

    def show(self, items: Iterable[WorkItem], console: "Console") -> None:
        runs = [self._runs.get(run_id) for run_id in self._runs.finished(MOST_RUNS)]
        for item in items:
            pull = self._person.pull_request(item)
            if pull is not None:
                self._show(item, pull, sorted(runs, key=lambda run: run.created), console)

    def _show(self, item: WorkItem, pull: "PullRequest", runs: Sequence[Run], console: "Console") -> None:
        from rich.markup import escape
        from rich.syntax import Syntax

        answered = {item, WorkItem(repository=item.repository, number=pull.number)}
        stat, diff = self._person.difference(pull, self._folder)
        console.rule(f"[bold]{item}[/]  {escape(pull.title)}", align="left")
        console.print(f"pull request  {pull.html_url}", soft_wrap=True)
        console.print(f"merged        {pull.merge_commit_sha} by {pull.merged_by.login}", soft_wrap=True)
        for line in _reviews(pull):
            console.print(f"reviewed      {line}", soft_wrap=True)
        for run in runs:
            if run.item in answered:
                console.print(f"time          {times(run)}", soft_wrap=True)
        console.print(f"changed       {stat}", soft_wrap=True)
        console.print(Syntax("", "diff", background_color="default").highlight(shorten(diff)), soft_wrap=True)


def _reviews(pull: "PullRequest") -> list[str]:
    remarks: dict[int, int] = defaultdict(int)
    for comment in pull.get_review_comments():
        remarks[comment.pull_request_review_id] += 1
    return [
        f"{review.state.lower().replace('_', ' ')} by {review.user.login}"
        + (f", with {remarks[review.id]} inline" if remarks[review.id] else "")
        for review in pull.get_reviews()
    ]


def times(run: Run) -> str:
    """Seconds per stage."""
    stages = ", ".join(f"{step.stage} {step.ended - step.started:.1f}" for step in run.history)
    whole = run.history[-1].ended - run.created if run.history else 0.0
    return f"{run.role:9} {whole:5.1f} s  ({stages})"


def shorten(diff: str) -> str:
    lines = diff.splitlines()
    rest = len(lines) - SHOWN_LINES
    return "\n".join(lines[:SHOWN_LINES] + ([f"… {rest} more lines"] if rest > 0 else []))
