"""``celery -A entropy demo``: from labelled issues to merged pull requests, on this machine."""

import sys
from pathlib import Path

import click

from entropy.cli.command import EntropyCommand


@click.command(cls=EntropyCommand)
@click.option("--keep", is_flag=True, help="Leave it running at the end and print its addresses; Ctrl-C ends it.")
@click.option("--vault", is_flag=True, help="Keep all tokens in a real OpenBao; each role logs in as itself.")
@click.option("--sandbox", type=click.Choice(["docker", "bubblewrap"]), help="Use this one. Default: what works here.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    help="Where everything is kept until the end; must not exist yet. Default: a new folder for temporary files.",
)
@click.option("--deadline", default=110.0, show_default=True, help="Seconds until unmerged issues are a failure.")
@click.option(
    "--tools",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    default=Path(sys.prefix),
    help="The environment with pytest that bubblewrap shows to tests. Default: the one that Entropy is installed in.",
)
def demo(**options: object) -> None:
    """Watch agents take issues to merged pull requests.

    Starts a Redis, an embedded forge, workers, beat and Flower on 127.0.0.1, files issues as a person would, and shows
    what happens until all of them are merged and closed. Afterwards no process and no file of it is left.
    """
    from entropy.cli.demo.play import Wishes, play

    play(Wishes(**options))
