"""``celery -A entropy start owner/name#12 --role coder``: start a run by hand."""

import click
from celery.bin.base import handle_preload_options

from entropy.cli.command import EntropyCommand


@click.command(cls=EntropyCommand)
@click.argument("reference")
@click.option("--role", required=True, help="Which role gets the item, for example coder.")
@click.pass_context
@handle_preload_options
def start(_: click.Context, reference: str, role: str) -> None:
    """Start a run of ROLE on the issue or pull request REFERENCE (owner/name#12)."""
    from entropy.lifecycle import start as start_run

    click.echo(start_run(reference, role=role))
