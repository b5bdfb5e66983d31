"""Files packed with zstd on their way through a store, and unpacked no further than is allowed."""

import io
from typing import BinaryIO

import zstandard

from entropy.errors import PolicyViolation

LEVEL = 3
CHUNK = 1024 * 1024
WINDOW = 8 * 1024 * 1024
"""Bytes of memory that unpacking may ask for; at our level it is a quarter of that."""
HEADER = 18
"""Bytes of the longest header of a frame."""


def pack(source: BinaryIO, target: BinaryIO) -> None:
    """Write all of `source` to `target` as one frame that tells its size."""
    size = source.seek(0, io.SEEK_END)
    source.seek(0)
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    compressor.copy_stream(source, target, size=size, read_size=CHUNK, write_size=CHUNK)


def unpack(source: BinaryIO, target: BinaryIO, *, limit: int, remedy: str) -> None:
    """Write what is packed in `source` to `target`; raises `PolicyViolation` unless it is whole and within `limit`.

    The size that the frame tells is checked before anything is unpacked, and what comes out is counted against it.
    `remedy` is what a person may do about one that is too large.
    """
    source.seek(0)
    try:
        size = zstandard.get_frame_parameters(source.read(HEADER)).content_size
        if size > limit:  # so is the number that stands for an unknown size
            raise PolicyViolation(f"A packed file says that it makes {size} bytes, more than {limit}; {remedy}.")
        source.seek(0)
        if _written(source, target, size) != size:
            raise PolicyViolation(f"A packed file does not make the {size} bytes that it says.")
    except zstandard.ZstdError as error:
        raise PolicyViolation(f"A packed file cannot be unpacked: {error}.") from None


def _written(source: BinaryIO, target: BinaryIO, most: int) -> int:
    """How much there was to write; a byte more than `most` where there is more than that."""
    written = 0
    reader = zstandard.ZstdDecompressor(max_window_size=WINDOW).stream_reader(source, read_size=CHUNK)
    while written <= most and (chunk := reader.read(min(CHUNK, most + 1 - written))):
        target.write(chunk)
        written += len(chunk)
    return written
