"""Text that strangers wrote, made harmless to look at: what would be invisible or steer the display is spelled out."""

import re

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """Control and bidirectional characters as signs that can be seen; tabs, line ends and emoji stay."""
    return _STEERING.sub(_sign, text)


def _sign(found: re.Match[str]) -> str:
    return f"⟨U+{ord(found[0]):04X}⟩"


def web_address(text: str | None) -> str | None:
    """The address where it is one of the web; None for any other scheme."""
    return text if text and re.match(r"https?://[^\s/]", text, re.IGNORECASE) else None
