"""Which sandbox this machine has: Docker with our image, else bubblewrap, each proved by using it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from entropy.cli.demo.failure import DemoFailed
from entropy.errors import EntropyError
from entropy.settings import SandboxSettings, inherited

Kind = Literal["docker", "bubblewrap"]
Say = Callable[[str], None]

PROOF = ("python3", "-c", "import freezegun, pytest, pytest_benchmark")
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class Choice(NamedTuple):
    """A sandbox that works here, as the sandbox worker's settings."""

    kind: Kind
    settings: SandboxSettings

    @property
    def environment(self) -> Mapping[str, str]:
        chosen = {
            "BACKEND": self.kind,
            "DIRECTORY": self.settings.directory,
            "BINDS": ",".join(map(str, self.settings.binds)),
            "PATH": self.settings.path,
        }
        return {f"ENTROPY_SANDBOX__{name}": str(value) for name, value in chosen.items()}


def choose(folder: Path, *, wanted: Kind | None, tools: Path, say: Say) -> Choice:
    """The first that works, or the one that is `wanted`; raises `DemoFailed` with the reasons when none does."""
    obstacles = []
    for kind in (wanted,) if wanted else ("docker", "bubblewrap"):
        try:
            return _proved(Choice(kind, _settings(kind, folder, tools, say)))
        except EntropyError as error:
            obstacles.append(f"{kind}: {error}")
    raise DemoFailed("No sandbox works on this machine, and agents run in nothing else.\n" + "\n".join(obstacles))


def _settings(kind: Kind, folder: Path, tools: Path, say: Say) -> SandboxSettings:
    if kind == "docker":
        return SandboxSettings(backend="docker", directory=folder / "sandboxes")
    if not shutil.which("bwrap"):
        _install_bubblewrap(say)
    return SandboxSettings(
        backend="bubblewrap",
        directory=folder / "sandboxes",
        binds=(tools, *_interpreter(tools)),
        path=f"{tools}/bin:{SYSTEM_PATH}",
    )


def _proved(choice: Choice) -> Choice:
    from entropy.errors import SandboxUnavailable
    from entropy.sandbox.factory import make_backend

    choice.settings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    backend = make_backend(choice.settings)
    backend.preflight()
    with backend.open("demo") as sandbox:
        result = sandbox.exec(PROOF, timeout=60)
    if result.exit_status != 0:
        last = (result.stderr or result.stdout).strip().rpartition("\n")[2]
        raise SandboxUnavailable(f"the demo's tests cannot run in it ({last}).")
    return choice


def _install_bubblewrap(say: Say) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return  # the backend's preflight says what is missing
    say("installing bubblewrap (apt-get install bubblewrap)")
    environment = inherited("PATH", "http_proxy", "https_proxy") | {"DEBIAN_FRONTEND": "noninteractive"}
    for argv in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "install", "--no-install-recommends", "bubblewrap"]):
        subprocess.run(argv, env=environment, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _interpreter(tools: Path) -> tuple[Path, ...]:
    """Where the environment's Python is at home, unless that is shown anyway."""
    home = (tools / "bin" / "python3").resolve().parents[1]
    return () if home in (Path("/"), Path("/usr")) else (home,)
