"""The ways out of a worker's sandboxes: for each a folder with a socket, which is shown inside, open in some phases."""

import contextlib
import secrets
import shutil
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from pathlib import Path

from entropy.errors import ConfigurationError, SecretNotFound
from entropy.models import Secret
from entropy.sandbox.belongings import Belonging, Kind
from entropy.sandbox.egress import forwarder
from entropy.sandbox.egress.destinations import Resolve, resolved
from entropy.sandbox.egress.dialects import PLACEHOLDER
from entropy.sandbox.egress.indexes import Indexes, read_indexes
from entropy.sandbox.egress.proxy import EgressProxy, Keys
from entropy.sandbox.egress.rules import Rules
from entropy.sandbox.egress.verdicts import Phase
from entropy.settings import EgressSettings

INSIDE = Path("/run/entropy-egress")
"""Where the folder is shown in a sandbox, read-only."""
FORWARDER, CERTIFICATES, SOCKET = "forwarder.py", "certificates.pem", "proxy.sock"
RUN, SETTLING = "run", 60.0
"""The file that says whose a folder is, and how many seconds one may take to get it."""
ADDRESS = f"http://127.0.0.1:{forwarder.PORT}"
PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")
LOCAL_VARIABLES = ("no_proxy", "NO_PROXY")
CERTIFICATE_VARIABLES = (
    *("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    "npm_config_cafile",
)


def no_keys(name: str) -> Secret:
    """The keys of a worker that has none."""
    raise SecretNotFound(f"This worker has no {name}.")


class Outlet:
    """One sandbox's way out; as it is made here, one that leads nowhere."""

    def __init__(self) -> None:
        self.folders: tuple[Path, ...] = ()
        """What has to be shown inside, at `INSIDE`."""
        self.variables: Mapping[Phase, Mapping[str, str]] = {}
        """What commands find in their environment, in the phases that lead somewhere."""
        self.proxy: EgressProxy | None = None

    @contextlib.contextmanager
    def open(self, phase: Phase) -> Iterator[list[str]]:
        """Inside the ``with`` the way is open; gives the words to put before a command that is to find it."""
        if self.proxy is None or phase not in self.variables:
            yield []
            return
        settings = [f"{name}={value}" for name, value in self.variables[phase].items()]
        with self.proxy.phase(phase):
            yield ["/usr/bin/env", *settings, "python3", "-I", str(INSIDE / FORWARDER)]


class Egress:
    """Makes the outlets of one worker."""

    def __init__(
        self,
        settings: EgressSettings,
        *,
        keys: Keys = no_keys,
        resolve: Resolve = resolved,
        indexes: Callable[[], Indexes] = read_indexes,
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._resolve = resolve
        self._read_indexes = indexes

    @contextlib.contextmanager
    def outlet(self, run_id: str, phases: Collection[str]) -> Iterator[Outlet]:
        """The way out of one sandbox, in these phases at most."""
        outlet = Outlet()
        self._remove(folder for folder in self._folders() if _run_of(folder) == run_id)  # of an earlier attempt
        outlet.variables = {p: self._variables(p) for p in Phase if p in phases and self._rules.leads_out(p)}
        if not outlet.variables:
            yield outlet
            return
        with self._folder(run_id) as shown, self._proxy(shown / SOCKET, run_id).running() as outlet.proxy:
            outlet.folders = (shown,)
            yield outlet

    def reap(self, live: AbstractSet[str]) -> list[str]:
        """Remove the folders of runs that are not in `live`; returns their names."""
        return self._remove(folder for folder in self._folders() if _is_settled(folder) and _run_of(folder) not in live)

    def belongings(self) -> list[Belonging]:
        """The folders, each with a socket while its sandbox has a way out."""
        return [
            Belonging(kind=Kind.SOCKET, name=folder.name, run=_run_of(folder), since=_since(folder))
            for folder in self._folders()
        ]

    def _remove(self, folders: Iterable[Path]) -> list[str]:
        removed = []
        for folder in folders:
            with contextlib.suppress(FileNotFoundError):  # two may remove it at once
                shutil.rmtree(folder)
            removed.append(folder.name)
        return removed

    def _folders(self) -> list[Path]:
        directory = self._settings.directory
        return sorted(directory.iterdir()) if directory.is_dir() else []

    @cached_property
    def _indexes(self) -> Indexes:
        return self._read_indexes() if self._settings.indexes else Indexes()

    @cached_property
    def _rules(self) -> Rules:
        places = self._indexes.places
        rules = Rules.of(self._settings, indexes=[host for host, _ in places])
        return rules.model_copy(update={"ports": rules.ports | {port for _, port in places}})

    @cached_property
    def _certificates(self) -> Path | None:
        return self._settings.certificates or self._indexes.certificates

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._certificates)
        except OSError as error:
            raise ConfigurationError(
                f"{self._certificates} does not hold certificates ({error.strerror or error}); "
                "see ENTROPY_SANDBOX__EGRESS__CERTIFICATES."
            ) from None

    def _proxy(self, path: Path, run_id: str) -> EgressProxy:
        rules, tls = self._rules, self._tls
        return EgressProxy(path, run_id=run_id, rules=rules, resolve=self._resolve, keys=self._keys, tls=tls)

    @contextlib.contextmanager
    def _folder(self, run_id: str) -> Iterator[Path]:
        folder = self._settings.directory / secrets.token_hex(8)
        try:
            folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise ConfigurationError(
                f"{folder.parent} cannot hold the sockets of sandboxes ({error.strerror});"
                " set ENTROPY_SANDBOX__EGRESS__DIRECTORY."
            ) from None
        try:
            (folder / RUN).write_text(run_id)
            yield self._filled(folder / "shown")
        finally:
            with contextlib.suppress(FileNotFoundError):  # the reaper may have been here
                shutil.rmtree(folder)

    def _filled(self, shown: Path) -> Path:
        shown.mkdir()
        files = {FORWARDER: Path(forwarder.__file__)}
        if self._certificates is not None:
            files[CERTIFICATES] = self._certificates
        for name, source in files.items():
            (shown / name).write_bytes(source.read_bytes())
            (shown / name).chmod(0o444)
        shown.chmod(0o755)
        return shown

    def _variables(self, phase: Phase) -> dict[str, str]:
        found = dict.fromkeys(PROXY_VARIABLES, ADDRESS) | dict.fromkeys(LOCAL_VARIABLES, "127.0.0.1,localhost")
        if self._certificates is not None:
            found |= dict.fromkeys(CERTIFICATE_VARIABLES, str(INSIDE / CERTIFICATES))
        return found | (self._of_indexes() if phase is Phase.SETUP else self._of_models())

    def _of_indexes(self) -> dict[str, str]:
        indexes = self._indexes
        told = {
            "PIP_INDEX_URL": indexes.pip,
            "PIP_EXTRA_INDEX_URL": " ".join(indexes.extra),
            "npm_config_registry": indexes.npm,
        }
        return {name: value for name, value in told.items() if value}

    def _of_models(self) -> dict[str, str]:
        found = {}
        for model in self._rules.models:
            found[model.dialect.base_variable] = f"{ADDRESS}/{model.name}"
            found[model.dialect.key_variable] = PLACEHOLDER
        return found


def _run_of(folder: Path) -> str:
    try:
        return (folder / RUN).read_text()
    except OSError:  # another one is removing it
        return ""


def _since(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:  # another one has removed it
        return time.time()


def _is_settled(folder: Path) -> bool:
    """Whether it says whose it is, or has had the time to."""
    return bool(_run_of(folder)) or time.time() - _since(folder) > SETTLING
