"""Inside a Fargate task: becomes whoever owns the workspace, gives up what a sandbox has not, and is the command then.

It is sent into tasks and runs there with whatever Python the image has, so it leans on nothing of the house. The order
of its steps matters: what lies below ``setuid`` is done by somebody who can no longer undo it.
"""

import base64
import ctypes
import json
import os
import platform
import resource
import signal
import sys
from typing import Any

NOT_FOUND, NOT_ALLOWED = 127, 126
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
OUT_OF_MEMORY_FIRST = "500"
"""So that the kernel, short of memory, ends work and not the runner, with whom the workspace would go."""
LIMITS = {
    "processes": resource.RLIMIT_NPROC,
    "file": resource.RLIMIT_FSIZE,
    "files": resource.RLIMIT_NOFILE,
    "core": resource.RLIMIT_CORE,
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _confine(terms: dict[str, Any]) -> None:
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write(OUT_OF_MEMORY_FIRST)
    os.setgroups([])
    os.setgid(terms["gid"])
    os.setuid(terms["uid"])
    # After setuid: a user with too many processes still gets one more command, which cannot start others.
    for name, value in terms["limits"].items():
        resource.setrlimit(LIMITS[name], (value, value))
    _filter(base64.b64decode(terms["filters"][platform.machine()]))
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python; programs do not expect that
        signal.signal(ignored, signal.SIG_DFL)
    os.umask(0o022)
    os.chdir(terms["workspace"])


def _filter(instructions: bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(instructions) // 8, instructions)
    for call in ((NO_NEW_PRIVILEGES, 1, 0, 0, 0), (SECCOMP, FILTER, ctypes.byref(program), 0, 0)):
        if libc.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "the system-call filter does not hold")


def launch(terms: dict[str, Any], argv: list[str]) -> None:
    """Become the command; returns never."""
    _confine(terms)
    try:
        os.execvpe(argv[0], argv, terms["environment"])  # noqa: S606 - no shell is wanted
    except FileNotFoundError:
        status, problem = NOT_FOUND, "not found"
    except OSError as error:
        status, problem = NOT_ALLOWED, str(error.strerror)
    sys.stderr.write(f"{argv[0]}: {problem}\n")
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    launch(json.loads(sys.argv[1]), sys.argv[2:])
