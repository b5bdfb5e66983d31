"""The nouns of the house: frozen, without I/O, the same on every node."""

import re
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, NamedTuple, NoReturn, Self

from pydantic import BaseModel, ConfigDict

from entropy.errors import UnknownReference


class Noun(BaseModel):
    """Base of everything here: immutable, and strict about what it is made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Secret:
    """A value that shows itself only through `reveal`: not in logs, reprs, messages, pickles or JSON."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret does not leave its process.")


class WorkItem(Noun):
    """An issue or a pull request, by the one name that people use for both: ``owner/name#number``."""

    repository: str
    number: int

    PATTERN: ClassVar[re.Pattern[str]] = re.compile(r"([\w.-]+/[\w.-]+)#([1-9]\d{0,9})", re.ASCII)

    @classmethod
    def parse(cls, reference: str) -> Self:
        match = cls.PATTERN.fullmatch(reference.strip())
        if match is None:
            raise UnknownReference(
                f"{reference!r} is not a reference to an issue or a pull request; write it as owner/name#12."
            )
        return cls(repository=match[1], number=int(match[2]))

    def __str__(self) -> str:
        return f"{self.repository}#{self.number}"


class Stage(StrEnum):
    """The five stages of a run in their order; ``DONE`` is where a run rests."""

    INITIALIZE = "initialize"
    CLAIM = "claim"
    EXECUTE = "execute"
    REPORT = "report"
    CLEANUP = "cleanup"
    DONE = "done"

    @property
    def position(self) -> int:
        return list(Stage).index(self)


class Verdict(StrEnum):
    """What a run came to."""

    CHANGED = "changed"  # there is a patch to publish
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    MERGEABLE = "mergeable"  # approved and green: merge the head that was looked at
    WAITING = "waiting"  # not yet; nothing is wrong
    UNCHANGED = "unchanged"  # the agent finished and nothing differs
    GAVE_UP = "gave_up"  # the agent says that it cannot
    REFUSED = "refused"  # a policy says no
    FAILED = "failed"  # a stage broke
    SUPERSEDED = "superseded"  # another run has this item, or the item is gone
    UNTRUSTED = "untrusted"  # nobody who may has asked for it
    HANDED_OVER = "handed_over"  # a person pushed to the branch: it is theirs now
    ADOPTED = "adopted"  # earlier work left a proposal that is still open
    INCOMPLETE = "incomplete"  # a time limit ended it; there is a patch of what was done so far
    OUTDATED = "outdated"  # the proposal has to be worked on before it can go on: its base moved, or a check is red
    PARKED = "parked"  # the cap is reached, or an operator says so: a person is needed
    CANCELLED = "cancelled"  # an operator ended it


class Finding(Noun):
    """One remark of a review, at a line of the new side of the diff."""

    path: str
    line: int
    message: str


class Evidence(Noun):
    """A command that was run in the sandbox and what came of it; ``output`` is the tail, already cut."""

    command: tuple[str, ...]
    exit_status: int | None
    output: str
    seconds: float


class Outcome(Noun):
    """What an agent returns: a value. Nothing has happened in the world yet."""

    verdict: Verdict
    summary: str
    engine: str | None = None
    model: str | None = None
    cost: float | None = None
    """What the model's owner charges, in US dollars; None where no model was asked."""
    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    patch: str | None = None
    """Digest of the patch in the artifact store; set by the execute stage."""


class Published(Noun):
    """What `report` did in the world, as far as it got."""

    branch: str | None = None
    pull_request: int | None = None
    commit: str | None = None
    label: str | None = None
    """The label that hands the item to the next role."""
    keeps_trigger: bool = False
    """Whether the label that started the run stays, for another try."""
    refusal: str | None = None
    """Why the outcome was not published as it was."""


class Progress(Noun):
    """How often a role has worked on an item in one state; `key` is a digest of that state."""

    key: str
    count: int
    run: str | None = None
    """The run that was counted last."""
    rounds: int = 0
    """In how many different states the role has worked on the item since it was last handed to a person."""
    installation: str = ""
    working: bool = False
    """Whether that run is at work, for other installations to see."""


class Step(Noun):
    """One line of a run's history. Times are the Redis server's, in seconds since the epoch."""

    stage: Stage
    generation: int
    started: float
    ended: float
    note: str


class Run(Noun):
    """One work item handed to one role. Times are the Redis server's, in seconds since the epoch."""

    id: str
    item: WorkItem
    role: str
    created: float
    trigger: str | None = None
    """The label that started it; None when a person did by hand."""
    stage: Stage = Stage.INITIALIZE
    generation: int = 1
    tries: Mapping[Stage, int] = {}
    base_commit: str | None = None
    approved: str | None = None
    """Digest of the text as it was when whoever asked for the run was found to be allowed to."""
    assignment: str | None = None
    snapshot: str | None = None
    """Digests in the artifact store: of the `Assignment`, and of a tar of the tracked files at the base commit."""
    progress: Progress | None = None
    partial: str | None = None
    """Digest of the patch that a worker saved when it had to end in the middle."""
    outcome: Outcome | None = None
    published: Published = Published()
    history: tuple[Step, ...] = ()

    @property
    def attempts(self) -> int:
        """How often a worker has begun the present stage; `tries` has all stages."""
        return self.tries.get(self.stage, 0)

    def evolve(self, **changes: Any) -> Self:
        return self.model_copy(update=changes)


class Envelope(NamedTuple):
    """All that a message carries."""

    run_id: str
    generation: int

    def __str__(self) -> str:
        return f"{self.run_id}-{self.generation}"


class Identity(Noun):
    """Who a role is on the forge, and whom it writes commits as."""

    login: str
    name: str
    email: str


class Importance(IntEnum):
    """What goes first where the forge bears less than there is to do; the smallest first."""

    MERGE = 0
    CHANGE = 1
    COMMENT = 2
    READ = 3


class Turn(NamedTuple):
    """A request that may be sent now; whose limits it counts against, and which of their budgets."""

    id: str
    identity: str
    resource: str
    importance: Importance
    content: bool = False
    """Whether it makes something that people are told of, of which an hour bears less."""


class Standing(NamedTuple):
    """Where an identity stands after an answer of the forge; what the answer did not say is None."""

    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    """In seconds from the answer."""
    pause: float = 0.0
    """Seconds for which nobody of this identity may send anything."""
