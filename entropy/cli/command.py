"""What our celery commands share: an error of ours is one sentence and exit status 1, not a traceback."""

from typing import Any

import click
from celery.bin.base import CeleryCommand

from entropy.errors import EntropyError


class EntropyCommand(CeleryCommand):
    """A subcommand of ``celery -A entropy`` that says in one sentence what is wrong."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except EntropyError as error:
            raise click.ClickException(str(error)) from None
