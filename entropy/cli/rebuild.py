"""``celery -A entropy rebuild``: after Redis was lost, take up again what the forge says is under way."""

import click
from celery.bin.base import handle_preload_options

from entropy.cli.command import EntropyCommand


@click.command(cls=EntropyCommand)
@click.pass_context
@handle_preload_options
def rebuild(_: click.Context) -> None:
    """Start what labels on the forge ask for, from here and now; needs the credentials of a control worker.

    Workers do the same by themselves within one interval. What was proposed, reviewed or merged before is found on the
    forge and not done again.
    """
    from entropy.scheduling.scheduler import TaskScheduler
    from entropy.wiring import toolbox

    tools = toolbox()
    for run_id in TaskScheduler(tools).discover():
        run = tools.runs.get(run_id)
        click.echo(f"{run.id}  {run.role:10}  {run.item}")
