"""What an engine is: a way in which the coder makes a change."""

from typing import Protocol

from entropy.items import Assignment
from entropy.models import Outcome
from entropy.sandbox.interface import Sandbox


class Engine(Protocol):
    """Stands in a table; the first that applies to an assignment does the work."""

    name: str
    proposes_red: bool
    """Whether its change goes to review even if the repository's tests are red."""

    def applies(self, assignment: Assignment) -> bool:
        """Whether this engine can work on the assignment; decided without a sandbox."""

    def perform(self, assignment: Assignment, sandbox: Sandbox) -> Outcome:
        """Change the tree in the sandbox; `Verdict.CHANGED`, or `Verdict.GAVE_UP` with a sentence for people."""
