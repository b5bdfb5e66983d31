"""Output of a command that may never end, kept within bounds."""


class Output:
    """The first `head` and the last `tail` bytes of a stream, and how long it was."""

    def __init__(self, *, head: int, tail: int) -> None:
        self.total = 0
        self._head_limit = head
        self._tail_limit = tail
        self._head = bytearray()
        self._tail = bytearray()

    def feed(self, data: bytes) -> None:
        self.total += len(data)
        room = self._head_limit - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._tail_limit:
            self._trim()

    def _trim(self) -> None:
        del self._tail[: max(0, len(self._tail) - self._tail_limit)]

    @property
    def bounds(self) -> tuple[int, int]:
        """How much of the head and of the tail is kept."""
        return self._head_limit, self._tail_limit

    def restore(self, head: bytes, tail: bytes, total: int) -> bool:
        """Take what somebody else kept of a stream within the same bounds; False when that cannot be so."""
        whole = len(head) + len(tail) == total
        cut = (len(head), len(tail)) == self.bounds and total > sum(self.bounds)
        if not (cut or (whole and len(head) <= self._head_limit and len(tail) <= self._tail_limit)):
            return False
        self.total, self._head, self._tail = total, bytearray(head), bytearray(tail)
        return True

    @property
    def truncated(self) -> bool:
        return self.total > self._head_limit + self._tail_limit

    def content(self) -> bytes:
        """What was kept, with a line in place of what was dropped."""
        self._trim()
        if not self.truncated:
            return bytes(self._head + self._tail)
        dropped = self.total - len(self._head) - len(self._tail)
        return bytes(self._head) + f"\n[{dropped} bytes dropped]\n".encode() + bytes(self._tail)

    def text(self) -> str:
        return self.content().decode(errors="replace")
