"""The whole canvas of a run on one screen."""

from celery import chain, shared_task
from celery.canvas import Signature

from entropy.lifecycle import claim as claiming
from entropy.lifecycle import cleanup as cleaning
from entropy.lifecycle import execute as executing
from entropy.lifecycle import initialize as initializing
from entropy.lifecycle import report as reporting
from entropy.lifecycle.queues import queue_of
from entropy.lifecycle.task import StageTask
from entropy.models import Envelope, Run, Stage


@shared_task(bind=True, base=StageTask, name="entropy.lifecycle.initialize")
def initialize(self: StageTask, run_id: str, generation: int) -> None:
    self.step(Stage.INITIALIZE, initializing.initialize, Envelope(run_id, generation))


@shared_task(bind=True, base=StageTask, name="entropy.lifecycle.claim")
def claim(self: StageTask, run_id: str, generation: int) -> None:
    self.step(Stage.CLAIM, claiming.claim, Envelope(run_id, generation))


@shared_task(bind=True, base=StageTask, name="entropy.lifecycle.execute")
def execute(self: StageTask, run_id: str, generation: int) -> None:
    self.step(Stage.EXECUTE, executing.execute, Envelope(run_id, generation))


@shared_task(bind=True, base=StageTask, name="entropy.lifecycle.report")
def report(self: StageTask, run_id: str, generation: int) -> None:
    self.step(Stage.REPORT, reporting.report, Envelope(run_id, generation))


@shared_task(bind=True, base=StageTask, name="entropy.lifecycle.cleanup")
def cleanup(self: StageTask, run_id: str, generation: int) -> None:
    self.step(Stage.CLEANUP, cleaning.cleanup, Envelope(run_id, generation))


TASKS = {
    Stage.INITIALIZE: initialize,
    Stage.CLAIM: claim,
    Stage.EXECUTE: execute,
    Stage.REPORT: report,
    Stage.CLEANUP: cleanup,
}


def canvas(run: Run) -> Signature:
    """What is left of a run, as one chain of messages that hold its id and generation and nothing else."""
    return chain(
        *(
            task.si(run.id, run.generation).set(queue=queue_of(stage, run.role))
            for stage, task in TASKS.items()
            if stage.position >= run.stage.position
        )
    )
