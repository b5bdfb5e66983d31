"""``celery -A entropy forge``: the embedded forge on this machine."""

from pathlib import Path

import click

DATA = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), required=True, help="The forge's folder; made if new."
)


@click.group()
def forge() -> None:
    """A small GitHub of your own: REST API, git and pages, for the demo, for tests and for trying things out."""


@forge.command()
@DATA
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 means any free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 inside a container.")
@click.option(
    "--url-file", type=click.Path(dir_okay=False, path_type=Path), help="Written with the address once it answers."
)
@click.option("--faults", is_flag=True, help="For tests: whoever reaches it may have its answers go wrong (/_faults).")
@click.option("--limits", is_flag=True, help="Refuse what is above GitHub's rate limits; they are counted always.")
def serve(*, data: Path, port: int, host: str, url_file: Path | None, faults: bool, limits: bool) -> None:
    """Serve until interrupted."""
    from functools import partial

    from entropy.forge.app import make_app
    from entropy.forge.serving import serve as run
    from entropy.forge.store import StoreError

    try:
        make = partial(make_app, faults=faults, limits=limits)
        run(data, port=port, host=host, url_file=url_file, say=click.echo, make=make)
    except (StoreError, OSError) as error:
        raise click.ClickException(str(error)) from None


@forge.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.argument("repository", metavar="OWNER/NAME")
@DATA
@click.option("--private", is_flag=True, help="Only collaborators may read it.")
def import_(path: Path, repository: str, data: Path, private: bool) -> None:
    """Take in the git repository or the folder of sources at PATH."""
    from entropy.forge.store import Store, StoreError

    try:
        with Store(data) as store:
            branch = store.import_repository(path, repository, private=private)
    except (StoreError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{repository} is here; its default branch is {branch}.")


@forge.command()
@click.argument("name")
@DATA
@click.option("--owner", required=True, help="The person or organization that it is installed for.")
@click.option("--repository", "repositories", multiple=True, metavar="NAME", help="Only this one; all unless given.")
@click.option("--permission", "permissions", multiple=True, metavar="NAME=read|write", help="As in contents=write.")
@click.option("--key-file", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Made; holds the key.")
def app(
    *, name: str, data: Path, owner: str, repositories: tuple[str, ...], permissions: tuple[str, ...], key_file: Path
) -> None:
    """Add a GitHub App called NAME, install it, and print the ids of both; its private key goes to a file."""
    import os

    from entropy.forge.store import Store, StoreError

    try:
        handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file, Store(data) as store:
            made = store.add_app(name, owner=owner)
            file.write(made.private_key_pem)
            wanted = dict(each.partition("=")[::2] for each in permissions)
            installation = store.install_app(made.id, owner, repositories or None, wanted)
    except (StoreError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{made.id} {installation}")


@forge.command()
@click.argument("login")
@DATA
@click.option("--name", help="The person's name, for commits.")
@click.option("--repository", metavar="OWNER/NAME", help="Give a permission in this repository.")
@click.option(
    "--permission",
    type=click.Choice(["read", "triage", "write", "maintain", "admin"]),
    default="read",
    show_default=True,
    help="Which permission to give in the repository.",
)
def user(login: str, data: Path, name: str | None, repository: str | None, permission: str) -> None:
    """Add LOGIN if new and print a fresh token, which is shown this once."""
    from entropy.forge.store import Store, StoreError

    try:
        with Store(data) as store:
            if repository:
                token = store.enrol(login, name=name, full_name=repository, permission=permission)
            else:
                token = store.add_user(login, name)
    except (StoreError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(token)
