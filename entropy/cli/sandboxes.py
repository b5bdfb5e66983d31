"""``celery -A entropy sandboxes list|reap``: what sandboxes have on this node, and an end of what is left over."""

from datetime import UTC, datetime

import click
from celery.bin.base import handle_preload_options

from entropy.cli.command import EntropyCommand


@click.group()
@click.pass_context
@handle_preload_options
def sandboxes(_: click.Context) -> None:
    """Look at the sandboxes of this node, and remove what is left over."""


@sandboxes.command("list", cls=EntropyCommand)
def list_sandboxes() -> None:
    """List what there is of sandboxes: its kind, since when, whether its run is at work, the run and the name.

    Of dependency caches: when each was used last, and whose it is.
    """
    from entropy.sandbox.belongings import Kind
    from entropy.wiring import toolbox

    tools = toolbox()
    found = tools.sandboxes.belongings()
    live = tools.runs.live_names()
    for thing in sorted(found, key=lambda thing: (thing.run, thing.kind, thing.name)):
        since = datetime.fromtimestamp(thing.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        state = "kept" if thing.kind is Kind.CACHE else "live" if thing.run in live else "dead"
        click.echo(f"{thing.kind:9}  {since}  {state}  {thing.run or '-'}  {thing.name}")


@sandboxes.command("reap", cls=EntropyCommand)
def reap() -> None:
    """Remove what belongs to no run at work, as the reaper on this node does by itself."""
    from entropy.wiring import toolbox

    tools = toolbox()
    for name in tools.sandboxes.reap(tools.runs.live_names()):
        click.echo(name)
