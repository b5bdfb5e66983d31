"""``celery -A entropy runs list|show|patch|cancel|park|retry``: what goes and went on, and a person's word in it."""

from typing import TYPE_CHECKING

import click
from celery.bin.base import handle_preload_options

from entropy.cli.command import EntropyCommand

if TYPE_CHECKING:
    from entropy.models import Run


@click.group()
@click.pass_context
@handle_preload_options
def runs(_: click.Context) -> None:
    """Look at runs, and intervene."""


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


@runs.command("patch", cls=EntropyCommand)
@click.argument("run_id")
def patch(run_id: str) -> None:
    """Print the change that a run had made when its time was over, for git apply."""
    from entropy.wiring import toolbox

    tools = toolbox()
    run = tools.runs.get(run_id)
    digest = run.outcome.patch if run.outcome else None
    if digest is None:
        raise click.ClickException(f"Run {run_id} made no change.")
    click.echo(tools.artifacts.get(run_id, digest), nl=False)


@runs.command("cancel", cls=EntropyCommand)
@click.argument("run_id")
def cancel(run_id: str) -> None:
    """End a run that has published nothing yet: its work is stopped, its label and its claim are given back."""
    from entropy.lifecycle import intervention
    from entropy.wiring import toolbox

    _say(intervention.cancel(run_id, toolbox()))


@runs.command("park", cls=EntropyCommand)
@click.argument("run_id")
def park(run_id: str) -> None:
    """End a run that has published nothing yet, and leave its item to a person."""
    from entropy.lifecycle import intervention
    from entropy.wiring import toolbox

    _say(intervention.park(run_id, toolbox()))


@runs.command("retry", cls=EntropyCommand)
@click.argument("run_id")
def retry(run_id: str) -> None:
    """Send an unfinished run again from the stage that it reached; start a finished one anew."""
    from entropy.lifecycle import intervention
    from entropy.wiring import toolbox

    _say(intervention.retry(run_id, toolbox()))


def _say(run: "Run") -> None:
    click.echo(f"{run.id}  {run.stage}  {run.role}  {run.item}")
