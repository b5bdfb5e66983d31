"""What the laws of a run say, kept beside Redis by a second bookkeeper who counts in the simplest way there is."""

from dataclasses import dataclass, field

from entropy.models import Run, Stage, WorkItem
from entropy.state.runs import LONGEST_GRACE, Begin
from entropy.state.steps import STEPS
from tests.integration.state.puppet import Puppet

LEASE = 100.0
GRACE = 100.0
TICK = 70.0
"""Seconds. No sum of ticks comes near a sum of leases and graces: the seconds that a test really takes don't matter."""


@dataclass
class Page:
    """One run, as it must be."""

    run: Run
    stage: Stage = Stage.INITIALIZE
    generation: int = 1
    holder: Puppet | None = None
    due: float = 0
    waits: int = 0
    tries: dict[Stage, int] = field(default_factory=dict)
    paid: int = 0
    """How often the agent was really at work, without what was handed back."""


class Outside:
    """The forge: what was made there by name, and who made it. It looks before it makes."""

    def __init__(self) -> None:
        self.made: dict[tuple[WorkItem, str, str], str] = {}
        self.labels: set[tuple[WorkItem, str]] = set()
        self.makings = 0

    def ensure(self, run: Run, name: str) -> str:
        key = (run.item, run.role, name)
        if key not in self.made:
            self.makings += 1
            self.made[key] = f"{name}-{self.makings}"
        if name == "release":
            self.labels.discard((run.item, run.role))
        return self.made[key]


class Ledger:
    """All runs. Each method is told what Redis answered, and fails when the laws say otherwise."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pages: dict[str, Page] = {}
        self.claims: dict[WorkItem, str] = {}
        self.recorded: dict[tuple[str, str], str] = {}

    def forget(self) -> None:
        """Redis has lost everything."""
        self.pages.clear()
        self.claims.clear()
        self.recorded.clear()

    def live(self, run_id: str | None) -> bool:
        page = self.pages.get(run_id or "")
        return page is not None and page.stage is not Stage.DONE

    def admitted(self, run: Run) -> None:
        twins = [page for page in self.pages.values() if (page.run.item, page.run.role) == (run.item, run.role)]
        assert not any(self.live(twin.run.id) for twin in twins), "one item, one role, one live run"
        self.pages[run.id] = Page(run, due=self.now + GRACE)

    def began(self, run_id: str, generation: int, stage: Stage, status: Begin, puppet: Puppet) -> None:
        page = self.pages.get(run_id)
        if page is None:
            assert status is Begin.MISSING
        elif generation != page.generation:
            assert status is Begin.STALE, "a message of another generation begins nothing"
        elif stage is not page.stage:
            assert status is (Begin.PASSED if page.stage.position > stage.position else Begin.EARLY)
        elif page.holder is not None:
            assert status is Begin.LEASED, "what one worker has, no other gets in the same generation"
        else:
            assert status is Begin.BEGUN
            page.holder, page.due, page.waits = puppet, self.now + LEASE, 0
            page.tries[stage] = page.tries.get(stage, 0) + 1

    def holds(self, run: Run, puppet: Puppet) -> bool:
        page = self.pages.get(run.id)
        return page is not None and page.generation == run.generation and page.holder is puppet

    def pays(self, run: Run, puppet: Puppet) -> None:
        if self.holds(run, puppet):
            self.pages[run.id].paid += 1

    def renewed(self, run: Run, puppet: Puppet, ours: bool) -> None:
        assert ours is self.holds(run, puppet), "a lease is renewed by its owner, and by nobody else"
        if ours:
            self.pages[run.id].due = self.now + LEASE

    def advanced(self, run: Run, puppet: Puppet, to: Stage, *, saved: bool, wait: float, refund: bool) -> None:
        assert saved is self.holds(run, puppet), "only who has the lease saves"
        if not saved:
            return
        page = self.pages[run.id]
        assert run.stage is page.stage
        if refund:
            page.tries[page.stage] -= 1
            page.paid -= page.stage is Stage.EXECUTE
        self._moved(page, to)
        page.due = self.now + (wait or GRACE)

    def intervened(self, before: Run, to: Stage, sent: bool) -> None:
        page = self.pages.get(before.id)
        current = page is not None and (page.generation, page.stage) == (before.generation, before.stage)
        assert sent is current, "an operator decides about the run that was looked at, or not at all"
        if page is not None and sent:
            self._moved(page, to)
            page.generation, page.due, page.waits = page.generation + 1, self.now + GRACE, 0

    def overdue(self) -> set[str]:
        return {run_id for run_id, page in self.pages.items() if self.live(run_id) and page.due <= self.now}

    def taken_up(self, run_id: str, generation: int) -> None:
        assert run_id in self.overdue(), "nobody takes up what is not overdue"
        page = self.pages[run_id]
        assert generation == page.generation + 1
        page.due = self.now + min(GRACE * 2**page.waits, LONGEST_GRACE / 1000)
        page.generation, page.holder, page.waits = generation, None, page.waits + 1

    def acts(self, run: Run, name: str, puppet: Puppet) -> None:
        assert self.holds(run, puppet), "no write to the outside begins without the lease"
        assert (run.id, name) not in self.recorded, "what is recorded is not done again"

    def did(self, run: Run, name: str, result: str) -> None:
        known = self.recorded.setdefault((run.id, name), result)
        assert result == known, "the answer is what was recorded"

    def claimed(self, run: Run, puppet: Puppet, answer: bool | None) -> None:
        """`answer` None: refused as stale."""
        if not self.holds(run, puppet):
            assert answer is None, "a stale worker claims nothing"
            return
        holder = self.claims.get(run.item)
        free = holder in (None, run.id) or not self.live(holder)
        assert answer is free, "an item is one live run's"
        if answer:
            self.claims[run.item] = run.id

    def released(self, run: Run) -> None:
        if self.claims.get(run.item) == run.id:
            del self.claims[run.item]

    def _moved(self, page: Page, to: Stage) -> None:
        assert to in STEPS[page.stage], "steps are those of the table"
        page.stage, page.holder = to, None
