"""``celery -A entropy reaper``: take up runs whose worker died; keep one or more running under a supervisor."""

import signal
import threading

import click
from celery.bin.base import handle_preload_options

from entropy.cli.command import EntropyCommand


@click.command(cls=EntropyCommand)
@click.pass_context
@handle_preload_options
def reaper(_: click.Context) -> None:
    """Take up overdue runs until stopped by SIGTERM or Ctrl-C."""
    from entropy.logging.structured import configure
    from entropy.scheduling.reaper import reap_forever
    from entropy.wiring import toolbox

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tools = toolbox()
    configure(tools.settings.log)
    reap_forever(tools, stop)
