"""StageTask: what every stage has in common, so that no stage has to care: lease, state, log, announcement, retry."""

import logging
import time
from collections.abc import Callable
from typing import Any

from celery import Task
from celery.exceptions import Ignore, SoftTimeLimitExceeded

from entropy.errors import EntropyError, PolicyViolation, RateLimited, StaleGeneration, StateUnavailable, TransientError
from entropy.lifecycle.conclude import conclude
from entropy.lifecycle.renewal import Renewal
from entropy.lifecycle.scanning import cleansed
from entropy.logging.structured import about
from entropy.models import Envelope, Run, Stage, Step, Verdict
from entropy.state.runs import Begin, Lease
from entropy.wiring import Toolbox, toolbox

log = logging.getLogger(__name__)

StageFunction = Callable[[Run, Toolbox], Run]

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


class EntropyTask(Task):
    """A task whose sender is told in one sentence when Redis is away."""

    def apply_async(self, *args: Any, **options: Any) -> Any:
        # Celery finds out by itself, after twenty seconds and without naming the address.
        toolbox().connection.now()
        return super().apply_async(*args, **options)


class StageTask(EntropyTask):
    """Load, check, call, save, log, announce."""

    abstract = True
    max_retries = None

    def step(self, stage: Stage, function: StageFunction, envelope: Envelope) -> None:
        """Run one stage of one run; a message that is not current ends the canvas silently."""
        tools = toolbox()
        status, lease = tools.runs.begin(envelope, stage)
        if status is Begin.PASSED:
            return
        if lease is None:
            log.info("message is not current", extra={"run_id": envelope.run_id, "stage": str(stage), "why": status})
            raise Ignore(f"{stage} of run {envelope.run_id}: {status}")
        with about(lease.run):
            try:
                self._work(lease, function, tools)
            except StaleGeneration:
                log.warning("a newer generation took over; stopped")
                raise Ignore("stale") from None

    def _work(self, lease: Lease, function: StageFunction, tools: Toolbox) -> None:
        run, started = lease.run, tools.connection.now()
        tools.announcements.tell(run, run.stage, "started")
        log.info("stage started", extra={"attempt": run.attempts})
        after = None
        try:
            with Renewal(lease, tools.runs, lease_seconds=tools.settings.scheduling.lease) as renewal:
                after = self._call(lease, function, tools)
        except SoftTimeLimitExceeded as interrupt:
            if after is None:
                after = broken(run, interrupt)
            # Otherwise it came when the stage had just ended: what was done is saved, if the lease is still ours.
        if renewal.handing_back and not _has_ended(after):
            self._hand_back(lease, after, tools)
        if after.stage is run.stage:
            after = after.evolve(stage=_next(run.stage))
        tools.reached(f"{run.stage}.worked")
        note = note_of(run, after)
        step = Step(
            stage=run.stage, generation=run.generation, started=started, ended=tools.connection.now(), note=note
        )
        _insist(lambda: tools.runs.advance(lease, after.evolve(history=(*after.history, step))))
        tools.reached(f"{run.stage}.advanced")
        log.info("stage finished", extra={"seconds": round(step.ended - started, 3), "outcome": note})
        handed_on = after.published.label if run.stage is Stage.CLEANUP else None
        tools.announcements.tell(run, run.stage, "finished", note=note, label=handed_on)

    def _call(self, lease: Lease, function: StageFunction, tools: Toolbox) -> Run:
        """The stage itself. Expected failure comes back as an outcome; what comes as an exception becomes one here."""
        run, limit = lease.run, tools.settings.scheduling.max_attempts
        if run.attempts > limit:
            return failed(run, f"The stage {run.stage} was begun {limit} times and never finished.")
        tools.reached(f"{run.stage}.begun")
        try:
            return function(run, tools)
        except StaleGeneration:
            raise
        except TransientError as error:
            if run.attempts < limit:
                self._retry_later(lease, error, tools)
            return failed(run, str(error))
        except Exception as error:  # noqa: BLE001 - whatever broke, the item must be told and the claim given back
            return broken(run, error)

    def _hand_back(self, lease: Lease, after: Run, tools: Toolbox) -> None:
        """Leave the stage to another worker, with what was saved of the work; it does not count as a try."""
        self._send_again(lease, lease.run.evolve(partial=after.partial), 0, tools, why="handed back", refund=True)

    def _retry_later(self, lease: Lease, error: TransientError, tools: Toolbox) -> None:
        pause = min(FIRST_PAUSE * float(2**lease.run.attempts), LONGEST_PAUSE)
        limited = isinstance(error, RateLimited)
        pause = max(pause, error.retry_after) if isinstance(error, RateLimited) else pause
        self._send_again(lease, lease.run, pause, tools, why=str(error), refund=limited)

    def _send_again(self, lease: Lease, run: Run, pause: float, tools: Toolbox, *, why: str, refund: bool) -> None:
        log.warning("stage will be tried again", extra={"why": why, "seconds": pause})
        tools.runs.advance(lease, run, wait=pause, refund=refund)
        tools.announcements.tell(run, run.stage, "retrying", note=why)
        if pause:
            # The reaper sends it when it is due: a countdown would be told on this worker's clock, read on another's.
            raise Ignore(why)
        raise self.retry(countdown=0)


def _insist(save: Callable[[], None]) -> None:
    """Save even if Redis refuses for a while: what the stage did may have cost money."""
    deadline = time.monotonic() + LONGEST_PAUSE
    while True:
        try:
            return save()
        except StateUnavailable as error:
            if time.monotonic() > deadline:
                raise
            log.warning("state not saved yet", extra={"why": str(error)})
            time.sleep(FIRST_PAUSE)


def broken(run: Run, error: Exception) -> Run:
    """The run after an exception: the item must be told, and the claim given back, whatever it was."""
    if isinstance(error, PolicyViolation):
        log.warning("refused", extra={"why": str(error)})
        return failed(run, str(error), Verdict.REFUSED)
    if isinstance(error, EntropyError):
        log.error("stage failed", extra={"why": str(error)})
        return failed(run, str(error))
    log.error("stage broke", exc_info=error)
    if isinstance(error, SoftTimeLimitExceeded):
        return failed(run, f"The stage {run.stage} did not end within its time limit.")
    return failed(run, f"Something unexpected went wrong in {run.stage}: {type(error).__name__}. See the worker's log.")


def failed(run: Run, why: str, verdict: Verdict = Verdict.FAILED) -> Run:
    """The run after a stage that cannot succeed: `report` tells the item; after `report` only `cleanup` is left."""
    why, _ = cleansed(why)
    if run.stage.position < Stage.REPORT.position:
        return conclude(run, verdict, why)
    return run.evolve(published=run.published.model_copy(update={"refusal": why}))


def _has_ended(after: Run) -> bool:
    return after.outcome is not None and after.outcome.verdict is not Verdict.FAILED


def _next(stage: Stage) -> Stage:
    return list(Stage)[stage.position + 1]


def note_of(before: Run, after: Run) -> str:
    """What the history says of a stage, without the secrets that this process knows."""
    return cleansed(_note(before, after))[0]


def _note(before: Run, after: Run) -> str:
    if after.published.refusal and not before.published.refusal:
        return after.published.refusal
    if after.outcome is not None and before.outcome is None:
        return f"{after.outcome.verdict}: {after.outcome.summary}"
    if after.published != before.published:
        if after.outcome is not None and after.outcome.verdict is Verdict.MERGEABLE:
            return "merged"
        return after.published.label or "published"
    return "done"
