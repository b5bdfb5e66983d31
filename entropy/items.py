"""What the forge holds, as one look found it, and what an agent is told of it: frozen, without I/O."""

from datetime import datetime
from typing import Literal

from entropy.models import Finding, Noun, WorkItem


class Comment(Noun):
    """What somebody said on an item."""

    author: str
    body: str
    created: datetime
    updated: datetime
    id: int


class Review(Noun):
    """A review of a pull request at one commit."""

    author: str
    state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]
    commit: str | None
    body: str
    findings: tuple[Finding, ...] = ()


class Check(Noun):
    """A commit status or a check run at the head of a pull request."""

    name: str
    state: Literal["success", "failure", "pending"]


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
    reviews: tuple[Review, ...] = ()
    checks: tuple[Check, ...] = ()


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


class Recipe(Noun):
    """A deterministic change that a repository offers: `command` runs when `label` is on the issue."""

    name: str
    label: str
    command: tuple[str, ...]
    paths: tuple[str, ...] = ("**",)
    """Globs of what the change may touch; ``**`` crosses folders."""
    title: str | None = None


class RepositoryConfig(Noun):
    """``.entropy.toml`` of the base branch."""

    test: tuple[str, ...] | None = None
    """The test command; None when the repository names none."""
    recipes: tuple[Recipe, ...] = ()

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
    diff: str = ""
    """For a pull request: what it changes against its base, as a unified diff."""
