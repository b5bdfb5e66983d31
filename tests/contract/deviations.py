"""Where the forge, our client and GitHub's description are known to differ, with the reason for each.

A test fails on every violation that is not listed here, and on every entry that no longer occurs.
"""

from dataclasses import dataclass

from tests.contract.contract import Violation


@dataclass(frozen=True)
class Deviation:
    operation: str
    part: str
    message: str
    """How the violation's message begins."""
    reason: str

    def covers(self, violation: Violation) -> bool:
        same = (self.operation, self.part) == (violation.operation, violation.part)
        return same and violation.message.startswith(self.message)


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        operation="issues/add-labels",
        part="response 403",
        message="the description does not know this status here",
        reason="GitHub refuses a label by somebody without write permission with 403; the description leaves it out.",
    ),
    Deviation(
        operation="issues/update-comment",
        part="response 404",
        message="the description does not know this status here",
        reason="GitHub answers 404 where the comment was deleted; the description leaves it out.",
    ),
)
