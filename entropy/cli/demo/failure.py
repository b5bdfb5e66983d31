"""How the demo ends when it cannot go on: one clear message, and exit status 1."""

import click


class DemoFailed(click.ClickException):
    """Something that the demo needs is missing, or has stopped; the message says what to do."""
