"""What the forge holds, as one look found it, and what an agent is told of it: frozen, without I/O."""

import re
from datetime import datetime
from typing import ClassVar, Literal

from entropy.models import Finding, Noun, WorkItem
from entropy.settings import SandboxBounds

INCOMPLETE = "[incomplete] "
"""How the title of a proposal begins that a time limit cut off."""


class Comment(Noun):
    """What somebody said on an item."""

    author: str
    body: str
    created: datetime
    updated: datetime
    id: int
    trusted: bool = True
    """Whether its author may command here; what others say is data at best."""


class Review(Noun):
    """A review of a pull request at one commit."""

    author: str
    state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]
    commit: str | None
    body: str
    findings: tuple[Finding, ...] = ()
    trusted: bool = True
    """Whether its author may write to the repository; the word of others counts nothing."""


class Check(Noun):
    """A commit status or a check run at the head of a pull request."""

    name: str
    state: Literal["success", "failure", "pending"]


class FailedCheck(Noun):
    """A check that failed, with what its maker says about it; `log` is the tail, already cut."""

    name: str
    run: int | None = None
    """The id of the check run; None for a commit status."""
    completed: str = ""
    summary: str = ""
    log: str = ""
    findings: tuple[Finding, ...] = ()
    trusted: Literal[False] = False
    """Never: what a check says and its job prints is data, for whoever wrote the code that it runs decides on it."""


class ReviewThread(Noun):
    """Remarks at one place of a pull request's diff, the first of them first."""

    id: str
    path: str
    line: int | None
    """None where the diff does not show the place any more."""
    resolved: bool
    first: int
    """The id of the remark that replies go to."""
    comments: tuple[Comment, ...]


class PullRequest(Noun):
    """A pull request as one look at the forge found it."""

    number: int
    author: str
    head_branch: str
    head_commit: str
    head_repository: str | None
    """None when the repository of the head branch is gone."""
    base_branch: str
    base_commit: str
    open: bool
    draft: bool
    merged: bool
    mergeable: bool | None
    """None while the forge is still working it out."""
    node: str = ""
    """Its name in GraphQL."""
    reviews: tuple[Review, ...] = ()
    checks: tuple[Check, ...] = ()

    OURS: ClassVar[re.Pattern[str]] = re.compile(r"entropy/issue-([1-9]\d{0,9})(-\d+)?")
    """Branches that agents propose from."""

    @property
    def answers(self) -> int | None:
        """The number of the issue that an agent answers with this; None for a person's proposal."""
        match = self.OURS.fullmatch(self.head_branch)
        return int(match[1]) if match else None


class Item(Noun):
    """An issue or a pull request as one look at the forge found it."""

    reference: WorkItem
    title: str
    body: str
    author: str
    labels: tuple[str, ...]
    open: bool
    locked: bool
    url: str
    comments: tuple[Comment, ...] = ()
    pull_request: PullRequest | None = None

    @property
    def subject(self) -> str:
        """What it is about, whatever state it is in."""
        return self.title.removeprefix(INCOMPLETE)


class Recipe(Noun):
    """A deterministic change that a repository offers: `command` runs when `label` is on the issue."""

    name: str
    label: str
    command: tuple[str, ...]
    paths: tuple[str, ...] = ("**",)
    """Globs of what the change may touch; ``**`` crosses folders."""
    title: str | None = None


class Setup(Noun):
    """How a repository's dependencies are made, from these files and nothing else of its tree."""

    command: tuple[str, ...]
    files: tuple[str, ...]
    """Lock files, by exact path."""


class RepositoryConfig(Noun):
    """``.entropy.toml`` of the base branch."""

    test: tuple[str, ...] | None = None
    """The test command; None when the repository names none."""
    recipes: tuple[Recipe, ...] = ()
    sandbox: SandboxBounds = SandboxBounds()
    """Tighter bounds than the installation's."""
    setup: Setup | None = None
    """None when the repository needs nothing but what the image has."""

    def recipe_for(self, labels: tuple[str, ...]) -> Recipe | None:
        return next((recipe for recipe in self.recipes if recipe.label in labels), None)


class Assignment(Noun):
    """Everything that an agent may know: its item, frozen at the time of the claim."""

    run_id: str
    role: str
    item: Item
    base_branch: str
    base_commit: str
    """The commit the sandbox's tree is of: the head of the pull request, or of the default branch."""
    config: RepositoryConfig = RepositoryConfig()
    locks: str | None = None
    """Digest in the artifact store of a tar of the files that `config.setup` names, as they are at the base commit."""
    diff: str = ""
    """For a pull request: what it changes against its base, as a unified diff."""
    inherited: tuple[str, ...] = ()
    """For an agent's pull request: the labels of the issue that it answers."""
    threads: tuple[ReviewThread, ...] = ()
    """For a pull request: what people with permission said at its lines and nobody has settled."""
    failures: tuple[FailedCheck, ...] = ()
    """For a pull request: the checks that failed at its head."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The item's own, and those of the issue behind it."""
        return self.item.labels + self.inherited

    @property
    def afresh(self) -> bool:
        """Whether the change of a pull request is to be made again on a newer base, and not on its head."""
        return self.item.pull_request is not None and self.base_commit != self.item.pull_request.head_commit
