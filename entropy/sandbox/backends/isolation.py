"""The command lines that put a command into bubblewrap's namespaces."""

import os
import resource
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import NamedTuple

from entropy.errors import ConfigurationError
from entropy.sandbox.backends.jail import Descriptors
from entropy.sandbox.policy import CACHE, KIB, MIB, UID, WORKSPACE, SandboxPolicy

STAGE = Path("/run/entropy-sandbox")
"""Mount point, in mount namespaces of their own, where root hands folders over to the sandbox's user."""
ETC = ("ld.so.cache", "alternatives", "localtime", "mime.types")
LINKS = ("bin", "sbin", "lib", "lib64", "lib32")
NEEDED = ("/usr", "/etc", "/proc", "/sys", "/dev", *(f"/{name}" for name in LINKS))
"""What of the machine is shown inside, or used on the way."""
FILES = {
    # Inside. Outside each sandbox is a user of its own, where root makes it.
    "passwd": f"root:x:0:0::/:/usr/sbin/nologin\nsandbox:x:{UID}:{UID}::/tmp:/bin/sh\n",
    "group": f"root:x:0:\nsandbox:x:{UID}:\n",
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
USR = Path("/usr")
SHARED_MEMORY = 64 * MIB
BLOCK = 512
"""In these a shell counts the size of files."""
INIT = '{limits} && (exec "$@"); exit $?'
"""PID 1: waits for the command, adopts what it leaves behind, and takes that along when it ends."""
NAMESPACES = (
    *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--as-pid-1"),
    *("--cap-drop", "ALL", "--uid", str(UID), "--gid", str(UID), "--hostname", "sandbox"),
)
DEMOTION = ("--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")


class Inside(NamedTuple):
    """What one process of a sandbox sees."""

    folder: Path
    """The sandbox's own folder on the host, with ``workspace`` and ``etc`` in it."""
    binds: tuple[tuple[Path, Path], ...]
    """Folders of the host, and where each is shown, read-only."""
    writable: bool
    tmp: int
    limits: tuple[str, ...]
    """What a shell does to have them."""
    is_cache: bool = False
    """Whether the workspace also lies where the dependency cache will be."""


def shown(binds: Iterable[Path]) -> tuple[tuple[Path, Path], ...]:
    """The operator's folders at their own path and, where that leads through symlinks, at the real one too."""
    found: dict[Path, Path] = {}
    for path in binds:
        real = path.resolve()
        if not path.is_absolute() or real == Path("/") or not real.exists():
            raise ConfigurationError(
                f"ENTROPY_SANDBOX__BINDS names {path}, which cannot be shown; name existing folders by absolute path."
            )
        for target in (real, Path(os.path.normpath(path))):
            if not any(target.is_relative_to(other) for other in (USR, *found)):
                found[target] = real
    return tuple((source, target) for target, source in found.items())


def write_etc(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    for name, content in FILES.items():
        (folder / name).write_text(content)
        (folder / name).chmod(0o644)


def program(name: str) -> str:
    """Absolute path of a program of the host."""
    found = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        raise ConfigurationError(
            f"The bubblewrap sandbox needs {name}; install the packages bubblewrap and util-linux."
        )
    return found


def process_limits(policy: SandboxPolicy, *, limited: AbstractSet[str]) -> tuple[str, ...]:
    """For a shell: what is always limited per process, and stand-ins for what is not limited as a whole."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = policy.open_files if most == resource.RLIM_INFINITY else min(policy.open_files, most)
    limits = [f"ulimit -n {files}", "ulimit -c 0", f"ulimit -f {policy.workspace // BLOCK}"]
    if "pids" not in limited:
        limits.append(f"{{ ulimit -u {policy.pids} || ulimit -p {policy.pids}; }} 2> /dev/null")  # shells differ
    if "memory" not in limited:
        limits.append(f"ulimit -d {policy.memory // KIB}")
    return tuple(limits)


def jailed(inside: Inside, argv: Sequence[str], *, environment: Mapping[str, str], handed: Descriptors) -> list[str]:
    """bubblewrap's command line, for the user who is to own what is inside."""
    line = [program("bwrap"), *NAMESPACES, "--clearenv"]
    line += ["--json-status-fd", str(handed.status), "--seccomp", str(handed.filter)]
    for name, value in environment.items():
        line += ["--setenv", name, value]
    line += [*_system(inside.folder / "etc"), *_scratch(inside.tmp)]
    for source, target in inside.binds:
        line += ["--ro-bind", str(source), str(target)]
    line += ["--bind" if inside.writable else "--ro-bind", str(inside.folder / "workspace"), WORKSPACE]
    if inside.is_cache:
        line += ["--bind", str(inside.folder / "workspace"), CACHE]
    line += ["--remount-ro", "/", "--chdir", WORKSPACE, "--"]
    return [*line, "/bin/sh", "-c", INIT.format(limits=" && ".join(inside.limits)), "sandbox", *argv]


def _system(etc: Path) -> list[str]:
    line = ["--ro-bind", str(USR), str(USR)]
    for name in LINKS:
        path = Path("/", name)
        if path.is_symlink():
            line += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            line += ["--ro-bind", str(path), str(path)]
    for name in FILES:
        line += ["--ro-bind", str(etc / name), f"/etc/{name}"]
    for name in ETC:
        line += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return line


def _scratch(tmp: int) -> list[str]:
    line = ["--proc", "/proc", "--dev", "/dev", "--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm"]  # noqa: S108
    return [*line, "--remount-ro", "/dev", "--size", str(tmp), "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108


def handed_over(
    folder: Path, binds: Sequence[tuple[Path, Path]]
) -> tuple[Mapping[Path, Path], list[tuple[Path, Path]]]:
    """Where root shows what lies behind closed folders, so that the sandbox's user reaches it; `binds` from there."""
    places = {folder / name: STAGE / name for name in ("etc", "workspace")}
    for number, (source, _) in enumerate(binds):
        places.setdefault(source, STAGE / str(number))
    return places, [(places[source], target) for source, target in binds]


def as_root(line: Sequence[str], *, entering: Sequence[str], mounts: int, user: int) -> list[str]:
    """The command line by which root enters control groups and mounts, becomes `user` and runs `line`.

    `mounts` is an open namespace of this process; nobody is to inherit it.
    """
    demoted = [program("setpriv"), f"--reuid={user}", f"--regid={user}", *DEMOTION, "--", *line]
    script = "\n".join([*entering, f"exec {shlex.join(demoted)}"])
    return [program("nsenter"), f"--mount=/proc/{os.getpid()}/fd/{mounts}", "--", "/bin/sh", "-euc", script]
