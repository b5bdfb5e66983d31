"""``celery -A entropy webhooks``: receive the forge's webhooks; several behind one address are safe."""

import signal
import socket

import click
from celery.bin.base import handle_preload_options

from entropy.cli.command import EntropyCommand


@click.command(cls=EntropyCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 inside a container.")
@click.option("--port", type=click.IntRange(0, 65535), default=8088, show_default=True, help="0 means any free port.")
@click.pass_context
@handle_preload_options
def webhooks(_: click.Context, host: str, port: int) -> None:
    """Receive signed webhooks at /webhooks until stopped; put a proxy that speaks TLS before it."""
    from entropy.logging.structured import configure
    from entropy.scheduling.discovery import look
    from entropy.scheduling.receiver import PATH, make_app
    from entropy.scheduling.serving import bind, serve
    from entropy.wiring import toolbox

    tools = toolbox()
    configure(tools.settings.log)
    app = make_app(tools, look.delay)
    listening = bind(host, port)
    click.echo(f"Webhooks are received at {address(listening)}{PATH}; end it with Ctrl-C.")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    serve(app, listening)


def address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"
