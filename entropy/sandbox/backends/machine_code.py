"""Programs of a few instructions that try system calls: an image that holds no more than a shell can be asked, too.

Such a program ends with status 1 when its last call succeeded, with 0 when it was refused.
"""

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

BASE = 0x40_0000
"""Where the program is loaded; its data come first, then zeros, then code."""
DATA, DATA_SIZE = 120, 392
CODE = DATA + DATA_SIZE
SEGMENT_SIZE = 0x2000
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
EXECUTABLE, LOADABLE, EVERYTHING = 2, 1, 7
ELF = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")

RESULT = "the result of the call before"
HERE = BASE + DATA
"""Address of a program's data."""


class SystemCall(NamedTuple):
    """A system call: its number on x86_64 and on aarch64, and up to six arguments."""

    numbers: tuple[int, int]
    arguments: tuple[int | str, ...] = ()


class _Machine(NamedTuple):
    identity: int
    column: int
    assemble: Callable[[int, Sequence[int | str]], bytes]
    end: bytes


def _x86_64(number: int, arguments: Sequence[int | str]) -> bytes:
    registers = (b"\x48\xbf", b"\x48\xbe", b"\x48\xba", b"\x49\xba", b"\x49\xb8", b"\x49\xb9")
    code = b"\x49\x89\xc4"  # r12 = rax
    for load, value in zip(registers, arguments, strict=False):
        # The result of the call before is only ever the first argument: rdi = r12.
        code += b"\x4c\x89\xe7" if isinstance(value, str) else load + _word(value)
    return code + b"\x48\xb8" + _word(number) + b"\x0f\x05"  # rax = number; syscall


def _aarch64(number: int, arguments: Sequence[int | str]) -> bytes:
    code = struct.pack("<I", 0xAA00_03F3)  # x19 = x0
    for register, value in enumerate(arguments):
        code += struct.pack("<I", 0xAA13_03E0) if isinstance(value, str) else _move(register, value)
    return code + _move(8, number) + struct.pack("<I", 0xD400_0001)  # svc 0


def _move(register: int, value: int) -> bytes:
    parts = struct.unpack("<4H", _word(value))
    steps = [
        (0xF280_0000 if place else 0xD280_0000) | place << 21 | part << 5 | register for place, part in enumerate(parts)
    ]
    return struct.pack("<4I", *steps)


def _word(value: int) -> bytes:
    return struct.pack("<Q", value % (1 << 64))


_X86_64_END = bytes.fromhex("31ff 4885c0 7803 40b701 b83c000000 0f05")  # exit(rax < 0 ? 0 : 1)
MACHINES = {
    "x86_64": _Machine(62, 0, _x86_64, _X86_64_END),
    "aarch64": _Machine(
        183, 1, _aarch64, struct.pack("<IIII", 0xD37F_FC00, 0xD240_0000, 0xD280_0BA8, 0xD400_0001)
    ),  # x0 = !(x0 >> 63); exit(x0)
}
I386_GETPID = bytes.fromhex("b814000000 cd80")
"""By the entry of 32-bit programs, which a filter that looks at numbers alone takes for another call."""


def program(machine: str, calls: Sequence[SystemCall], *, data: bytes = b"") -> bytes:
    """An executable that makes `calls` in order, up to the last; `data` lies at `HERE`, followed by zeros."""
    kind = MACHINES[machine]
    code = b"".join(kind.assemble(call.numbers[kind.column], call.arguments) for call in calls)
    return _executable(kind, data, code)


def i386_program() -> bytes:
    """An executable for x86_64 that asks for its process id as a program for i386 does."""
    return _executable(MACHINES["x86_64"], b"", I386_GETPID)


def _executable(kind: _Machine, data: bytes, code: bytes) -> bytes:
    body = data.ljust(DATA_SIZE, b"\0") + code + kind.end
    size = HEADER.size + SEGMENT.size + len(body)
    entry = BASE + CODE
    header = HEADER.pack(
        ELF, EXECUTABLE, kind.identity, 1, entry, HEADER.size, 0, 0, HEADER.size, SEGMENT.size, 1, 0, 0, 0
    )
    return header + SEGMENT.pack(LOADABLE, EVERYTHING, 0, BASE, BASE, size, SEGMENT_SIZE, 4096) + body
