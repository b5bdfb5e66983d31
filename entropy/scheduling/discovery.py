"""The tasks of discovery: `discover`, sent by announcements and people, and `tick`, sent by beat."""

from celery import shared_task

from entropy.lifecycle.task import EntropyTask
from entropy.scheduling.scheduler import TaskScheduler
from entropy.wiring import toolbox


@shared_task(base=EntropyTask, name="entropy.scheduling.discover", ignore_result=False)
def discover() -> list[str]:
    """Start the runs that labels ask for and that there is room for; returns their ids."""
    return TaskScheduler(toolbox()).discover()


@shared_task(base=EntropyTask, name="entropy.scheduling.tick", ignore_result=False)
def tick() -> list[str]:
    """`discover`, unless a tick was less than half an interval ago: by several beats, or by a backlog of messages.

    Redis's clock decides, so that beats and workers need not agree on the time.
    """
    tools = toolbox()
    if not tools.holds.due(tools.settings.scheduling.interval / 2):
        return []
    return TaskScheduler(tools).discover()
