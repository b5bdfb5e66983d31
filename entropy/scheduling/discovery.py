"""The task that beat and announcements send: one look at the forge."""

from celery import shared_task

from entropy.lifecycle.task import EntropyTask
from entropy.scheduling.scheduler import TaskScheduler
from entropy.wiring import toolbox


@shared_task(base=EntropyTask, name="entropy.scheduling.discover", ignore_result=False)
def discover() -> list[str]:
    """Start the runs that labels ask for and that there is room for; returns their ids."""
    return TaskScheduler(toolbox()).discover()
