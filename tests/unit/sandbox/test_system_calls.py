"""The filters' verdicts, for machines that the tests do not run on, too."""

import errno
import json
import struct

import pytest

from entropy.errors import ConfigurationError
from entropy.sandbox.backends import bpf, seccomp
from entropy.sandbox.backends.machine_code import BASE, CODE, SystemCall, program

X86_64, AARCH64, I386, ARM = 0xC000_003E, 0xC000_00B7, 0x4000_0003, 0x4000_0028
NATIVE = {"x86_64": X86_64, "aarch64": AARCH64}
ALLOWED = "allowed"


def verdict(machine: str, number: int, *arguments: int, architecture: int = 0) -> str:
    """What the kernel would do, by the rules of its packet filter."""
    words = [*arguments, *([0] * (6 - len(arguments)))]
    record = struct.pack("<IIQ6Q", number, architecture or NATIVE[machine], 0, *(word % (1 << 64) for word in words))
    steps = list(struct.iter_unpack("=HBBI", bpf.program(machine)))
    place = accumulator = 0
    while True:
        operation, if_true, if_false, operand = steps[place]
        place += 1
        if operation == bpf.LOAD:
            (accumulator,) = struct.unpack_from("<I", record, operand)
        elif operation == bpf.RETURN:
            return _named(operand)
        else:
            tests = {
                bpf.EQUAL: accumulator == operand,
                bpf.AT_LEAST: accumulator >= operand,
                bpf.ANY_OF: bool(accumulator & operand),
            }
            place += if_true if tests[operation] else if_false


def _named(action: int) -> str:
    if action & 0xFFFF_0000 == bpf.FAIL:
        return errno.errorcode[action & 0xFFFF]
    return {bpf.ALLOW: ALLOWED, bpf.KILL: "killed"}[action]


@pytest.mark.parametrize("machine", NATIVE)
def test_what_is_listed_is_refused_and_the_rest_is_not(machine: str) -> None:
    column = bpf.MACHINES[machine].column
    for numbers in bpf.REFUSED.values():
        assert numbers[column] == 0 or verdict(machine, numbers[column]) == "EPERM"
    special = {bpf.CLONE[column], bpf.SOCKET[column], bpf.SOCKETPAIR[column], bpf.CLONE3}
    refused = {numbers[column] for numbers in bpf.REFUSED.values()} | special
    assert {verdict(machine, number) for number in range(600) if number and number not in refused} == {ALLOWED}


@pytest.mark.parametrize("machine", NATIVE)
def test_other_entries_of_the_processor_are_closed(machine: str) -> None:
    for architecture in (X86_64, AARCH64, I386, ARM):
        found = verdict(machine, 2, architecture=architecture)
        assert found == (ALLOWED if architecture == NATIVE[machine] else "killed")
    assert verdict(machine, 0x4000_0000 | 2) == "killed"


@pytest.mark.parametrize("machine", NATIVE)
def test_arguments_decide(machine: str) -> None:
    column = bpf.MACHINES[machine].column
    clone, plain, pair = bpf.CLONE[column], bpf.SOCKET[column], bpf.SOCKETPAIR[column]
    assert verdict(machine, clone, 0x003D_0F00) == ALLOWED  # a thread
    assert verdict(machine, clone, 17) == ALLOWED  # a process
    for flag in (0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000):
        assert verdict(machine, clone, flag | 17) == "EPERM"
    assert verdict(machine, bpf.CLONE3, 1) == "ENOSYS"
    families = {family: verdict(machine, plain, family, 1, 0) for family in range(46)}
    assert {family for family, said in families.items() if said == ALLOWED} == {1, 2, 10, 16}
    assert set(families.values()) == {ALLOWED, "EAFNOSUPPORT"}
    assert verdict(machine, plain, 16, 3, 12) == "EAFNOSUPPORT"
    assert [verdict(machine, pair, family) for family in (1, 2)] == [ALLOWED, "EPERM"]


def test_a_machine_without_a_filter_is_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match=r"no system-call filter for riscv64.*BACKEND=docker"):
        bpf.program("riscv64")


def test_no_filter_lets_through_what_the_other_refuses() -> None:
    allowed = set(seccomp.ALLOWED)
    assert len(allowed) == len(seccomp.ALLOWED)
    assert not allowed & set(bpf.REFUSED)
    assert not allowed & {"clone", "clone3", "socket", "socketpair", "personality", "socketcall"}
    profile = json.loads(seccomp.profile())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    assert all(entry["subArchitectures"] == [] for entry in profile["archMap"])


def test_a_program_for_another_machine_is_well_formed() -> None:
    content = program("aarch64", [SystemCall((39, 172))])
    assert content[:4] == b"\x7fELF"
    assert struct.unpack_from("<HH", content, 16) == (2, 183)
    assert struct.unpack_from("<Q", content, 24) == (BASE + CODE,)
    # mov x19, x0; mov x8, #172 in four parts; svc #0; lsr x0, x0, #63; eor x0, x0, #1; mov x8, #93; svc #0
    words = (0xAA0003F3, 0xD2801588, 0xF2A00008, 0xF2C00008, 0xF2E00008, 0xD4000001)
    assert content[CODE:] == struct.pack("<10I", *words, 0xD37FFC00, 0xD2400000, 0xD2800BA8, 0xD4000001)
