"""The tasks of discovery: people send `discover`, whoever sees something happen sends `look`, beat sends `tick`."""

from celery import shared_task

from entropy.lifecycle.task import EntropyTask
from entropy.scheduling.scheduler import TaskScheduler
from entropy.wiring import toolbox


@shared_task(base=EntropyTask, name="entropy.scheduling.discover", ignore_result=False)
def discover() -> list[str]:
    """Look at every repository now, start the runs that labels ask for and there is room for; returns their ids."""
    tools = toolbox()
    tools.rounds.hasten()
    return TaskScheduler(tools).discover()


@shared_task(base=EntropyTask, name="entropy.scheduling.look")
def look() -> None:
    """Look where something is said to have happened, and at what is due."""
    TaskScheduler(toolbox()).discover()


@shared_task(base=EntropyTask, name="entropy.scheduling.tick", ignore_result=False)
def tick() -> list[str]:
    """Look at what is due, unless a tick was less than half an interval ago: by several beats, or by a backlog.

    Redis's clock decides, so that beats and workers need not agree on the time.
    """
    tools = toolbox()
    if not tools.holds.due(tools.settings.scheduling.interval / 2):
        return []
    return TaskScheduler(tools).discover()
