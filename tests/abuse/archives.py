"""Attacks by the tar of a repository: what unpacks it, in the sandbox and in the collector, is to write elsewhere."""

import io
import tarfile
from collections.abc import Callable

from tests.abuse.attack import Attack

ELSEWHERE = "a file beside the workspace"
DEVICE = "a device in the workspace"
LARGE = "a worker that is full before anybody has looked"
BLOCK = tarfile.BLOCKSIZE

ABSOLUTE = "/tmp/outside-of-every-archive"


def packed(*members: tarfile.TarInfo, content: bytes = b"evil\n", form: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return packed.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    info.devmajor, info.devminor = (1, 3) if kind in (tarfile.CHRTYPE, tarfile.BLKTYPE) else (0, 0)
    return info


def _renamed_by_header() -> bytes:
    """A harmless name, and an extended header that gives the member another."""
    info = member("harmless")
    info.pax_headers = {"path": "../outside"}
    return packed(info)


def _claimed() -> bytes:
    """The head of a file of eight gibibytes, without them."""
    info = member("huge")
    info.size = 8 << 30
    return info.tobuf() + bytes(20 * BLOCK)


def _sparse() -> bytes:
    """Ten gibibytes in one block of the archive: a file of holes, in GNU's old form."""
    info = member("holes")
    info.size = BLOCK
    head = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    head[156:157] = tarfile.GNUTYPE_SPARSE
    size = b"\x80" + (10 << 30).to_bytes(11, "big")
    head[386:434] = b"%011o\0" % 0 + b"%011o\0" % BLOCK + size + b"%011o\0" % 0
    head[483:495] = size
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + b"x" * BLOCK + bytes(2 * BLOCK)


def _many() -> bytes:
    return packed(*(member(f"{number:x}") for number in range(12_000)), content=b"", form=tarfile.USTAR_FORMAT)


Make = Callable[[], bytes]
REFUSED: list[tuple[Attack, Make]] = [
    (Attack(f"archive: {name}", wanted, ""), make)
    for name, wanted, make in (
        ("a name above the workspace", ELSEWHERE, lambda: packed(member("../outside"))),
        ("a name above, further down", ELSEWHERE, lambda: packed(member("a/../../outside"))),
        ("an absolute name", ELSEWHERE, lambda: packed(member(ABSOLUTE))),
        ("another name in an extended header", ELSEWHERE, _renamed_by_header),
        (
            "a long name of GNU's kind",
            ELSEWHERE,
            lambda: packed(member("../" + "./" * 80 + "outside"), form=tarfile.GNU_FORMAT),
        ),
        ("a hard link", "the content of another file", lambda: packed(member("users", tarfile.LNKTYPE, "/etc/passwd"))),
        ("a character device", DEVICE, lambda: packed(member("null", tarfile.CHRTYPE))),
        ("a block device", DEVICE, lambda: packed(member("disk", tarfile.BLKTYPE))),
        ("a named pipe", "whoever reads it waits forever", lambda: packed(member("pipe", tarfile.FIFOTYPE))),
        ("a file of ten gibibytes of holes", LARGE, _sparse),
        ("a file that claims eight gibibytes", LARGE, _claimed),
        ("12,000 files", LARGE, _many),
    )
]
THROUGH = Attack("archive: a link, and a file through it", ELSEWHERE, "")
SETUID = Attack("archive: a setuid program", "the rights of its owner", "")
SECOND = Attack("archive: a second archive behind the first", ELSEWHERE, "")
PACKED = Attack("archive: a packed archive", LARGE, "")
