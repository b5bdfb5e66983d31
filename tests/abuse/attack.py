"""What an attack is, the words in which it reports, and the same program outside of any sandbox, where it succeeds."""

import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from entropy.sandbox.interface import ExecResult, Sandbox

WON, REACHED, LOST = "WON", "REACHED", "LOST"
NOTHING: Mapping[str, str] = MappingProxyType({})

PRELUDE = '''
import ctypes, errno, os, platform, signal, socket, struct, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
COLUMN = {"x86_64": 0, "aarch64": 1}[platform.machine()]
NUMBERS = {
    "add_key": (248, 217), "bpf": (321, 280), "clone3": (435, 435), "delete_module": (176, 106),
    "fanotify_init": (300, 262), "fsopen": (430, 430), "init_module": (175, 105), "io_uring_setup": (425, 425),
    "kexec_load": (246, 104), "keyctl": (250, 219), "mount_setattr": (442, 442), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "open_tree": (428, 428), "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pivot_root": (155, 41), "process_vm_readv": (310, 270),
    "reboot": (169, 142), "request_key": (249, 218), "settimeofday": (164, 170), "syslog": (103, 116),
    "userfaultfd": (323, 282),
}
def checked(got):
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got
def syscall(name, *arguments):
    wide = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return checked(libc.syscall(ctypes.c_long(NUMBERS[name][COLUMN]), *wide))
def call(name, *arguments):
    return checked(getattr(libc, name)(*arguments))
def past(error, function, *arguments):
    """Nothing but the senseless argument stops it: whoever comes so far was allowed to."""
    try:
        function(*arguments)
    except OSError as problem:
        if problem.errno != getattr(errno, error):
            raise
    return "nobody asked for permission"
def opened(path, flags=os.O_WRONLY):
    os.close(os.open(path, flags))
    return path
def attempt(attack):
    print("REACHED", flush=True)
    try:
        won = attack()
    except OSError as error:
        print("LOST", errno.errorcode.get(error.errno, type(error).__name__), flush=True)
    else:
        print(("WON " + " ".join(str(won).split())[:300]) if won else "LOST nothing", flush=True)
'''


class Attack(NamedTuple):
    """One row of the table. `body` is that of a Python function: what it returns is the prize, None is none."""

    name: str
    wanted: str
    body: str
    control: tuple[str, ...] = (WON,)
    """What the privileged run outside may come to; more than ``WON`` where some machine lacks the thing."""
    absent: Mapping[str, str] = NOTHING
    """Backends that do not stop it by design, and why that is so; it has to succeed there."""
    open: Mapping[str, str] = NOTHING
    """Backends that should stop it and do not yet: strictly expected failures."""

    @property
    def program(self) -> str:
        return f"{PRELUDE}\ndef attack():\n{textwrap.indent(textwrap.dedent(self.body), '    ')}\nattempt(attack)\n"


class Verdict(NamedTuple):
    """How it ended: ``WON``, or what stopped it."""

    word: str
    detail: str

    @property
    def won(self) -> bool:
        return self.word == WON

    def __str__(self) -> str:
        return f"SUCCEEDED: {self.detail}" if self.won else self.word


def verdict(status: int | None, stdout: str, stderr: str) -> Verdict:
    """Read what a program printed; one that never came to its attack is no evidence and raises `AssertionError`."""
    lines = stdout.splitlines()
    assert REACHED in lines, f"the attack was not attempted: {stdout[-500:]}{stderr[-1500:]}"
    last = lines[-1]
    if last.startswith(f"{WON} "):
        return Verdict(WON, last.removeprefix(f"{WON} "))
    if last.startswith(f"{LOST} "):
        return Verdict(last.removeprefix(f"{LOST} "), "")
    assert last == REACHED, f"the attack broke off: {stdout[-500:]}{stderr[-1500:]}"
    assert status is None or status > 128 or status < 0, f"the attack broke off: {stderr[-1500:]}"
    return Verdict("killed at the time limit" if status is None else f"killed, status {status}", "")


def inside(sandbox: Sandbox, attack: Attack, *arguments: object, timeout: float = 30) -> Verdict:
    return judged(sandbox.exec(["python3", "-c", attack.program, *map(str, arguments)], timeout=timeout))


def judged(result: ExecResult) -> Verdict:
    return verdict(result.exit_status, result.stdout, result.stderr)


APART = ("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "--propagation", "private", "--")
"""As root and with every right, but harmless: it is the control's own mounts and names that change."""
FIRST = ("sh", "-c", '"$@"; exit $?', "sh")
"""PID 1 of the control, since PID 1 is what some attacks are after."""

INTERPRETER = str(Path(sys.executable).resolve())
"""Not the one of the environment: some controls see an empty /tmp, and that may be where the environment is."""

_shown: dict[object, Verdict] = {}


def outside(attack: Attack, folder: Path, *arguments: object, apart: tuple[str, ...] = APART) -> Verdict:
    """The control: the same program with the rights of root and no sandbox around it; once, whatever it is for."""
    key = (attack.name, apart[:3])
    if key not in _shown or not _shown[key].won:
        _shown[key] = _outside(attack, folder, arguments, apart)
    return _shown[key]


def _outside(attack: Attack, folder: Path, arguments: tuple[object, ...], apart: tuple[str, ...]) -> Verdict:
    done = subprocess.run(
        [*apart, *FIRST, INTERPRETER, "-c", attack.program, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return verdict(done.returncode, done.stdout, done.stderr)
