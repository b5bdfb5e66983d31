"""Takes a key out of a stream of bytes, wherever the pieces begin and end, without changing how long it is."""


class Veil:
    """Holds back no more than the longest end of a piece with which the key might begin."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._mask = b"*" * len(key)
        self._held = b""

    def over(self, data: bytes) -> bytes:
        """The next piece, as far as it can be said."""
        data = (self._held + data).replace(self._key, self._mask)
        size = next(
            (size for size in range(min(len(self._key) - 1, len(data)), 0, -1) if self._may_begin(data, size)), 0
        )
        self._held = data[len(data) - size :]
        return data[: len(data) - size]

    def _may_begin(self, data: bytes, size: int) -> bool:
        return data.endswith(self._key[:size])

    def rest(self) -> bytes:
        """What was held back, at the end."""
        held, self._held = self._held, b""
        return held

    def whole(self, data: bytes) -> bytes:
        return data.replace(self._key, self._mask)
