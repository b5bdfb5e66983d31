"""Which package indexes this worker's own pip and npm use, by asking them: the house names none."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from entropy.errors import ConfigurationError
from entropy.models import Noun

SECONDS = 60.0
# pip has no words for what it does when nobody says where to look; its own code has.
DEFAULTS = "from pip._internal.models.index import PyPI; print(PyPI.simple_url, 'https://' + PyPI.file_storage_domain)"
MAIN, EXTRA = ("index-url",), ("extra-index-url", "find-links")
HTTPS = 443


class Indexes(Noun):
    """Places that packages come from, without credentials."""

    pip: str = ""
    """The address of the index, where somebody has set one."""
    extra: tuple[str, ...] = ()
    npm: str = ""
    places: tuple[tuple[str, int], ...] = ()
    """Hosts and ports, also of the files that the tools' own indexes point to."""
    certificates: Path | None = None
    """The authorities that pip checks against, where somebody has set them."""


def read_indexes() -> Indexes:
    """Ask pip and, where it is installed, npm; raises `ConfigurationError`."""
    said = _pip_configuration()
    main = [url for name in MAIN for url in said.get(name, ())]
    extra = [url for name in EXTRA for url in said.get(name, ())]
    registry, scoped = _npm_registries()
    served = [*(main or _ask(sys.executable, "-c", DEFAULTS).split()), *extra, registry, *scoped]
    places = dict.fromkeys(place for place in map(_place, served) if place is not None)
    return Indexes(
        pip=_bare(main[-1]) if main else "",
        extra=tuple(_bare(url) for url in extra if _place(url) is not None),
        npm=_bare(registry),
        places=tuple(places),
        certificates=Path(said["cert"][-1]) if said.get("cert") else None,
    )


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigurationError(
            f"{command[0]} does not say which package indexes it uses ({type(error).__name__}); install pip for this"
            " worker, or set ENTROPY_SANDBOX__EGRESS__SETUP_HOSTS instead of ENTROPY_SANDBOX__EGRESS__INDEXES."
        ) from None
    return done.stdout


def _pip_configuration() -> dict[str, list[str]]:
    """All values of each setting of pip, from files and environment, the strongest last."""
    found: dict[str, list[str]] = {}
    for line in _ask(sys.executable, "-m", "pip", "config", "list").splitlines():
        name, _, value = line.partition("=")
        option = name.rpartition(".")[2]
        words = str(ast.literal_eval(value)).split()
        strong = name.startswith(":env:")
        found[option] = [*found.get(option, []), *words] if strong else [*words, *found.get(option, [])]
    return found


def _npm_registries() -> tuple[str, list[str]]:
    """The main registry, and those of scopes. Where npm has a password for one it says nothing of it."""
    npm = shutil.which("npm")
    said = json.loads(_ask(npm, "config", "list", "--json")) if npm else {}
    return str(said.get("registry") or ""), [str(url) for name, url in said.items() if name.endswith(":registry")]


def _place(url: str) -> tuple[str, int] | None:
    """Host and port of an address that a tunnel may lead to; nothing else is served."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    return parts.hostname.lower(), parts.port or HTTPS


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
