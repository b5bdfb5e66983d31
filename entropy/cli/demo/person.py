"""The person of the demo: files issues and looks how they are doing, through the forge's public API."""

import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from entropy.cli.demo.failure import DemoFailed
from entropy.cli.demo.seed import SeedIssue
from entropy.models import WorkItem
from entropy.settings import inherited

if TYPE_CHECKING:
    from github.PullRequest import PullRequest
    from github.Repository import Repository


class Look(NamedTuple):
    """How an issue is doing."""

    closed: bool
    labels: tuple[str, ...]
    pull: int | None
    merged: bool

    @property
    def done(self) -> bool:
        return self.closed and self.merged


class Person:
    """One account on the forge."""

    def __init__(self, api: str, token: str) -> None:
        from github import Auth, Github

        self._github = Github(
            base_url=api,
            auth=Auth.Token(token),
            retry=None,
            timeout=15,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )

    def file(self, repository: str, issue: SeedIssue) -> WorkItem:
        filed = self._repository(repository).create_issue(issue.title, issue.body, labels=list(issue.labels))
        return WorkItem(repository=repository, number=filed.number)

    def look(self, item: WorkItem) -> Look:
        issue = self._repository(item.repository).get_issue(item.number)
        pull = self.pull_request(item)
        return Look(
            closed=issue.state == "closed",
            labels=tuple(label.name for label in (*issue.labels, *(pull.labels if pull else ()))),
            pull=pull.number if pull else None,
            merged=bool(pull and pull.merged_at),
        )

    def pull_request(self, item: WorkItem) -> "PullRequest | None":
        """The pull request that answers an issue."""
        owner = item.repository.partition("/")[0]
        head = f"{owner}:entropy/issue-{item.number}"
        return next(iter(self._repository(item.repository).get_pulls(state="all", head=head)), None)

    def _repository(self, name: str) -> "Repository":
        return self._github.get_repo(name, lazy=True)

    def difference(self, pull: "PullRequest", folder: Path) -> tuple[str, str]:
        """What a merged pull request changed, in one line and as a diff, read from a clone as anybody may make one."""
        clone = folder / pull.base.repo.full_name
        if not clone.exists():
            git("clone", "--quiet", "--bare", pull.base.repo.clone_url, str(clone))
        change = f"{pull.merge_commit_sha}^1", pull.merge_commit_sha
        return git("-C", str(clone), "diff", "--shortstat", *change).strip(), git("-C", str(clone), "diff", *change)


def git(*arguments: str) -> str:
    """Run git without the machine's or the user's configuration."""
    environment = inherited("PATH", "LANG") | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DemoFailed(f"This did not work: git {shlex.join(arguments)}\n{done.stderr.strip()}")
    return done.stdout
