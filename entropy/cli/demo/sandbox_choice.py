"""Which sandbox this machine has: Docker with our image, else bubblewrap, each proved by using it."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from entropy.cli.demo.failure import DemoFailed
from entropy.errors import EntropyError, SandboxUnavailable
from entropy.settings import SandboxSettings, inherited

Kind = Literal["docker", "bubblewrap"]
Say = Callable[[str], None]

PROOF = ("python3", "-c", "import freezegun, pytest, pytest_benchmark")
IMAGE_BUILD = Path(__file__).resolve().parents[3] / "ops" / "images" / "build"
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class Choice(NamedTuple):
    """A sandbox that works here, as the sandbox worker's settings."""

    kind: Kind
    settings: SandboxSettings
    groups: tuple[Path, ...] = ()
    """Control groups that were not there before."""

    @property
    def environment(self) -> Mapping[str, str]:
        chosen = {
            "BACKEND": self.kind,
            "OWNER": self.settings.owner,
            "DOCKER_HOST": self.settings.docker_host,
            "DIRECTORY": self.settings.directory,
            "BINDS": ",".join(map(str, self.settings.binds)),
            "PATH": self.settings.path,
        }
        return {f"ENTROPY_SANDBOX__{name}": str(value) for name, value in chosen.items()}

    def leave_nothing(self) -> None:
        """Remove what a worker that was killed could not; call it when no worker is alive any more."""
        from entropy.sandbox.factory import make_backend

        make_backend(self.settings).clear()
        for group in self.groups:
            with contextlib.suppress(OSError):  # somebody else's sandboxes are in it
                group.rmdir()


def choose(folder: Path, *, wanted: Kind | None, tools: Path, say: Say) -> Choice:
    """The first that works, or the one that is `wanted`; raises `DemoFailed` with the reasons when none does."""
    obstacles = []
    for prepare in PREPARATIONS[wanted]:
        try:
            return _proved(prepare(folder, tools, say))
        except EntropyError as error:
            obstacles.append(str(error))
    reasons = "\n".join(dict.fromkeys(obstacles))
    raise DemoFailed(f"No sandbox works on this machine, and agents run in nothing else.\n{reasons}")


def _proved(choice: Choice) -> Choice:
    from entropy.sandbox.factory import make_backend

    choice.settings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    backend = make_backend(choice.settings)
    backend.preflight()
    with backend.open("demo") as sandbox:
        result = sandbox.exec(PROOF, timeout=60)
    if result.exit_status != 0:
        last = (result.stderr or result.stdout).strip().rpartition("\n")[2]
        raise SandboxUnavailable(f"The demo's tests cannot run in the {choice.kind} sandbox ({last}).")
    return choice


def _docker(folder: Path, _tools: Path, _say: Say) -> Choice:
    """As it is: building an image may take longer than the whole demo."""
    host = inherited("DOCKER_HOST").get("DOCKER_HOST") or SandboxSettings().docker_host
    return Choice(
        "docker",
        SandboxSettings(backend="docker", directory=folder / "sandboxes", docker_host=host, owner=folder.name),
    )


def _built_docker(folder: Path, tools: Path, say: Say) -> Choice:
    choice = _docker(folder, tools, say)
    if IMAGE_BUILD.exists() and shutil.which("docker"):
        say("making sure of the sandbox image (ops/images/build)")
        done = subprocess.run([IMAGE_BUILD], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise SandboxUnavailable(done.stderr.strip().rpartition("\n")[2])
    return choice


def _bubblewrap(folder: Path, tools: Path, say: Say) -> Choice:
    if not shutil.which("bwrap"):
        _install_bubblewrap(say)
    settings = SandboxSettings(
        backend="bubblewrap",
        directory=folder / "sandboxes",
        owner=folder.name,
        binds=(tools, *_interpreter(tools)),
        path=f"{tools}/bin:{SYSTEM_PATH}",
    )
    return Choice("bubblewrap", settings, groups=tuple(_missing_groups()))


def _install_bubblewrap(say: Say) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return  # the proof says what is missing
    say("installing bubblewrap (apt-get install bubblewrap)")
    for action in (["update"], ["install", "--yes", "--no-install-recommends", "bubblewrap"]):
        subprocess.run(["apt-get", "-qq", *action], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _interpreter(tools: Path) -> tuple[Path, ...]:
    """Where the environment's Python is at home, unless that is shown anyway."""
    home = (tools / "bin" / "python3").resolve().parents[1]
    return () if home in (Path("/"), Path("/usr")) else (home,)


def _missing_groups() -> Iterator[Path]:
    from entropy.sandbox.backends.cgroups import Cgroups

    parents = {folder.parent for folder in Cgroups("demo").folders.values()}
    return (parent for parent in sorted(parents) if not parent.exists())


PREPARATIONS: Mapping[Kind | None, tuple[Callable[[Path, Path, Say], Choice], ...]] = {
    "docker": (_built_docker,),
    "bubblewrap": (_bubblewrap,),
    None: (_docker, _bubblewrap, _built_docker),
}
