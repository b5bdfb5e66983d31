"""``celery -A entropy discover``: have a worker look at the forge now."""

import click
from celery.bin.base import handle_preload_options

from entropy.cli.command import EntropyCommand


@click.command(cls=EntropyCommand)
@click.pass_context
@handle_preload_options
def discover(_: click.Context) -> None:
    """Look for labelled items now instead of at the next beat."""
    from entropy.scheduling import discover as discovery

    click.echo(f"sent as task {discovery.delay().id}")
