"""The merger: says whether a pull request may be merged as it is, from nothing but what the forge holds about it."""

from collections.abc import Callable
from typing import ClassVar

from entropy.agents.base import BaseAgent, Handoffs
from entropy.agents.evidence import quote
from entropy.items import Assignment, PullRequest, ReviewThread
from entropy.models import Outcome, Verdict
from entropy.sandbox.interface import Sandbox

TESTS_CHECK = "entropy/tests"
"""The commit status that a review by Entropy leaves at the head."""


class Merger(BaseAgent):
    role = "merger"
    trigger = "entropy:merge"
    handoffs: ClassVar[Handoffs] = {}
    uses_sandbox = False

    def perform(self, assignment: Assignment, sandbox: Sandbox) -> Outcome:
        pull = assignment.item.pull_request
        if pull is None:
            return Outcome(verdict=Verdict.GAVE_UP, summary="This is an issue; only a pull request can be merged.")
        for verdict, obstacle in OBSTACLES:
            sentence = obstacle(pull)
            if sentence:
                back = obstacle in FOR_THE_CODER and pull.answers is not None
                return Outcome(verdict=Verdict.OUTDATED if back else verdict, summary=sentence)
        if assignment.threads:
            return Outcome(verdict=Verdict.OUTDATED, summary=_unanswered(assignment.threads))
        return Outcome(
            verdict=Verdict.MERGEABLE,
            summary=f"Approved by {_people(approvers(pull))} at this head; all checks are green.",
        )


def _unanswered(threads: tuple[ReviewThread, ...]) -> str:
    places = sorted({quote(thread.path) for thread in threads})
    return f"Somebody waits for an answer to what they said about {', '.join(places)}."


def _merged(pull: PullRequest) -> str | None:
    return "This pull request is merged already." if pull.merged else None


def _closed(pull: PullRequest) -> str | None:
    return None if pull.open else "This pull request is closed; reopen it if it is still wanted."


def _conflicting(pull: PullRequest) -> str | None:
    if pull.mergeable is not False:
        return None
    return f"This conflicts with base {quote(pull.base_branch)}; somebody has to merge or rebase it by hand."


def _failing(pull: PullRequest) -> str | None:
    failed = sorted({quote(check.name) for check in pull.checks if check.state == "failure"})
    return f"A check failed at this head: {', '.join(failed)}. Look at it, then correct the change." if failed else None


def _draft(pull: PullRequest) -> str | None:
    return "This is a draft; it waits until its author marks it as ready." if pull.draft else None


def _asked(pull: PullRequest) -> str | None:
    people = sorted(author for author, commit in objectors(pull).items() if commit == pull.head_commit)
    return f"{_people(people)} asked for changes at this head." if people else None


def _objected(pull: PullRequest) -> str | None:
    people = sorted(objectors(pull))
    return f"{_people(people)} asked for changes; it waits for a new review from them." if people else None


def _unapproved(pull: PullRequest) -> str | None:
    return None if approvers(pull) else "It waits for an approval of its present head by somebody else than its author."


def _untested(pull: PullRequest) -> str | None:
    tested = any(check.name == TESTS_CHECK for check in pull.checks)
    return None if tested else f"It waits for the check {quote(TESTS_CHECK)} at its present head."


def _pending(pull: PullRequest) -> str | None:
    running = sorted({quote(check.name) for check in pull.checks if check.state != "success"})
    return f"It waits for checks that are still running: {', '.join(running)}." if running else None


def _uncertain(pull: PullRequest) -> str | None:
    return "It waits for the forge to find out whether it can be merged." if pull.mergeable is None else None


OBSTACLES: tuple[tuple[Verdict, Callable[[PullRequest], str | None]], ...] = (
    # What ends the matter comes before what only has to be waited for.
    (Verdict.SUPERSEDED, _merged),
    (Verdict.GAVE_UP, _closed),
    (Verdict.GAVE_UP, _conflicting),
    (Verdict.GAVE_UP, _failing),
    (Verdict.WAITING, _draft),
    (Verdict.WAITING, _asked),
    (Verdict.WAITING, _objected),
    (Verdict.WAITING, _unapproved),
    (Verdict.WAITING, _untested),
    (Verdict.WAITING, _pending),
    (Verdict.WAITING, _uncertain),
)


FOR_THE_CODER = (_conflicting, _failing, _asked)
"""What an agent puts right on a pull request of its own kind, before a person is asked."""


def _standing_reviews(pull: PullRequest) -> dict[str, tuple[str, str | None]]:
    """The last word of each person with a say, as state and commit. A comment takes nothing back; a dismissal does."""
    return {
        review.author.casefold(): (review.state, review.commit)
        for review in pull.reviews
        if review.trusted and review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
    }


def approvers(pull: PullRequest) -> list[str]:
    """Who approves of the present head, in lower case, without its author."""
    words = _standing_reviews(pull)
    return sorted(
        author
        for author, word in words.items()
        if word == ("APPROVED", pull.head_commit) and author != pull.author.casefold()
    )


def objectors(pull: PullRequest) -> dict[str, str | None]:
    """Whose last word is that it has to change, in lower case, and at which commit they said so."""
    words = _standing_reviews(pull)
    return {author: commit for author, (state, commit) in words.items() if state == "CHANGES_REQUESTED"}


def _people(logins: list[str]) -> str:
    return ", ".join(quote(login) for login in logins)
