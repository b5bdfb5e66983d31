"""What an agent is: a role that turns an assignment into an outcome, and has no life of its own."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import BinaryIO, ClassVar, NoReturn

from entropy.agents.engines.engine import Engine
from entropy.errors import IllegalStep
from entropy.items import Assignment
from entropy.models import Outcome, Verdict
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.interface import Sandbox

Handoffs = Mapping[Verdict, str]
"""For each verdict that passes an item on: the label that does."""


class BaseAgent(ABC):
    """One role. Made once per process and used by many runs, so it keeps nothing of a run."""

    role: ClassVar[str]
    """Names the queue, the secrets and the identity on the forge."""
    trigger: ClassVar[str]
    """The label that hands an item to this role."""
    handoffs: ClassVar[Handoffs] = {}
    """For a verdict, the label to set on the pull request, or on the item where there is none."""
    uses_sandbox: ClassVar[bool] = True
    """Where false, `perform` decides from the assignment alone and is given a `NoSandbox`."""

    def __init__(self, engines: Sequence[Engine] = ()) -> None:
        self.engines = tuple(engines)

    @abstractmethod
    def perform(self, assignment: Assignment, sandbox: Sandbox) -> Outcome:
        """Do the role's work on the tree in the sandbox.

        What can be expected to go wrong is an outcome. Errors are for a sandbox that is unavailable and for settings
        that are wrong. Never collects the patch: the execute stage does, on `Verdict.CHANGED`.
        """


class NoSandbox:
    """What an agent that uses no sandbox is given: touching it is a mistake in that agent."""

    def put(self, tree: bytes | BinaryIO) -> NoReturn:
        _refuse()

    def exec(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float | None = None, phase: Phase = Phase.TEST
    ) -> NoReturn:
        _refuse()

    def collect(self) -> NoReturn:
        _refuse()

    def keep(self) -> NoReturn:
        _refuse()


def _refuse() -> NoReturn:
    raise IllegalStep("This role declares uses_sandbox = False and may not touch one.")
