"""The system calls that bubblewrap refuses, as a program of the kernel's packet filter.

bubblewrap has no filter of its own and takes one ready made. What is refused can be listed by number; what may be
allowed could not, without a table of all numbers of each machine.
"""

import errno
import platform
import socket
import struct
from collections.abc import Iterable
from typing import NamedTuple

from entropy.errors import ConfigurationError
from entropy.sandbox.backends.seccomp import FAMILIES, NAMESPACES, ROUTE

Instruction = tuple[int, int, int, int]
"""Operation, how many instructions to skip when true and when false, and an operand."""

LOAD, EQUAL, AT_LEAST, ANY_OF, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
"""Where the kernel's record of a call holds them, in bytes."""
ALLOW, KILL, FAIL = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
X32 = 0x4000_0000
"""Set in numbers of the x32 machine, which shares the architecture of x86_64."""


class Machine(NamedTuple):
    """One kind of processor, and its column in `REFUSED`."""

    architecture: int
    column: int


MACHINES = {"x86_64": Machine(0xC000_003E, 0), "aarch64": Machine(0xC000_00B7, 1)}
"""By the kernel's name; the 32-bit entries of the same processors have other architectures."""
CLONE, SOCKET, SOCKETPAIR = (56, 220), (41, 198), (53, 199)
CLONE3 = 435
LOCAL = (socket.AF_UNIX,)
"""The families of sockets that lead nowhere but to the same machine."""

REFUSED: dict[str, tuple[int, int]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, 0),
    "iopl": (172, 0),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
"""Numbers on x86_64 and on aarch64; 0 where there is none."""


def program(machine: str = "", families: Iterable[int] = FAMILIES) -> bytes:
    """The filter for this machine, or the named one; raises `ConfigurationError` for a kind it does not know.

    Sockets are those of `families` only.
    """
    name = machine or platform.machine()
    if name not in MACHINES:
        raise ConfigurationError(
            f"The bubblewrap sandbox has no system-call filter for {name}; use ENTROPY_SANDBOX__BACKEND=docker here."
        )
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in _instructions(MACHINES[name], families))


def _instructions(machine: Machine, families: Iterable[int]) -> list[Instruction]:
    column = machine.column
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, machine.architecture),
        _end(KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        _end(KILL),
        *(step for numbers in REFUSED.values() for step in _when(numbers[column], [_end(FAIL | errno.EPERM)])),
        *_when(CLONE3, [_end(FAIL | errno.ENOSYS)]),
        *_when(CLONE[column], [_argument(0), (ANY_OF, 0, 1, NAMESPACES), _end(FAIL | errno.EPERM), _end(ALLOW)]),
        *_when(SOCKETPAIR[column], [_argument(0), *_allow_any([socket.AF_UNIX]), _end(FAIL | errno.EPERM)]),
        *_when(SOCKET[column], [_argument(0), *_allow_any(families), *_netlink()]),
        _end(ALLOW),
    ]


def _netlink() -> list[Instruction]:
    refuse = _end(FAIL | errno.EAFNOSUPPORT)
    return [(EQUAL, 1, 0, int(socket.AF_NETLINK)), refuse, _argument(2), (EQUAL, 1, 0, ROUTE), refuse, _end(ALLOW)]


def _allow_any(values: Iterable[int]) -> list[Instruction]:
    return [step for value in values for step in ((EQUAL, 0, 1, int(value)), _end(ALLOW))]


def _when(number: int, steps: list[Instruction]) -> list[Instruction]:
    """Steps for one system call; they do not fall through."""
    return [(EQUAL, 0, len(steps), number), *steps] if number else []


def _argument(index: int) -> Instruction:
    return (LOAD, 0, 0, ARGUMENTS + 8 * index)  # its lower half, on machines that store that first


def _end(verdict: int) -> Instruction:
    return (RETURN, 0, 0, verdict)
