"""``celery -A entropy runs list|show``: what is going on, and what went on."""

import click
from celery.bin.base import handle_preload_options

from entropy.cli.command import EntropyCommand


@click.group()
@click.pass_context
@handle_preload_options
def runs(_: click.Context) -> None:
    """Look at runs."""


@runs.command("list", cls=EntropyCommand)
@click.option("--finished", default=20, show_default=True, help="How many finished runs to list.")
def list_runs(finished: int) -> None:
    """List the unfinished runs and the last finished ones."""
    from entropy.wiring import toolbox

    tools = toolbox()
    for run_id in (*sorted(tools.runs.live()), *tools.runs.finished(finished)):
        run = tools.runs.get(run_id)
        verdict = run.outcome.verdict if run.outcome else "-"
        click.echo(f"{run.id}  {run.stage:10}  {run.role:10}  {run.item!s:30}  {verdict}")


@runs.command("show", cls=EntropyCommand)
@click.argument("run_id")
def show(run_id: str) -> None:
    """Print everything that is known of a run, as JSON."""
    from entropy.wiring import toolbox

    click.echo(toolbox().runs.get(run_id).model_dump_json(indent=2))
