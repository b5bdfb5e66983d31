"""Assignments as a claim would freeze them, with what a test does not care about filled in."""

from typing import Any

from entropy.items import Assignment, Check, Item, PullRequest, RepositoryConfig, Review
from entropy.models import WorkItem

HEAD = "1" * 40
BASE = "0" * 40


def review(state: Any, author: str = "rita", *, commit: str | None = HEAD, trusted: bool = True) -> Review:
    return Review(author=author, state=state, commit=commit, body="", trusted=trusted)


def check(state: Any, name: str = "entropy/tests") -> Check:
    return Check(name=name, state=state)


def pull_request(**changes: Any) -> PullRequest:
    """Open, approved by rita, green; opened by carl."""
    facts: dict[str, Any] = {
        "number": 7,
        "author": "carl",
        "head_branch": "totals",
        "head_commit": HEAD,
        "head_repository": "acme/widgets",
        "base_branch": "main",
        "base_commit": BASE,
        "open": True,
        "draft": False,
        "merged": False,
        "mergeable": True,
        "reviews": (review("APPROVED"),),
        "checks": (check("success"),),
    }
    return PullRequest(**(facts | changes))


def assignment(
    *,
    title: str = "Totals are wrong for an empty basket",
    labels: tuple[str, ...] = (),
    pull: PullRequest | None = None,
    config: RepositoryConfig | None = None,
    diff: str = "",
) -> Assignment:
    item = Item(
        reference=WorkItem(repository="acme/widgets", number=pull.number if pull else 3),
        title=title,
        body="",
        author="ann",
        labels=labels,
        open=True,
        locked=False,
        url="http://forge.test/acme/widgets/3",
        pull_request=pull,
    )
    return Assignment(
        run_id="r1",
        role="coder",
        item=item,
        base_branch="main",
        base_commit=HEAD,
        config=config or RepositoryConfig(),
        diff=diff,
    )
