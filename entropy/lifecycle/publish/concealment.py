"""Characters in a change that nobody sees and that make a line read otherwise than it is: people are told where."""

import re
from collections.abc import Iterable

from entropy.lifecycle.publish.inert import word
from entropy.repository.additions import Addition

_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")
"""Of a part of a country: the one honest use of these characters."""
_CONCEALING = re.compile(
    "[\u115f\u1160\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
MOST = 5
NOTICE = "**Some lines hold characters that are not seen:** {places}. Look at them before you trust what you read."


def concealed(added: Iterable[Addition]) -> str:
    """What people read of it; nothing where there is nothing to say."""
    places = [
        f"`{word(line.path, 300)}` line {line.number} ({found})" for line in added if (found := _found(line.text))
    ]
    more = f" and {len(places) - MOST} more" if len(places) > MOST else ""
    return NOTICE.format(places=", ".join(places[:MOST]) + more) if places else ""


def _found(text: str) -> str:
    if text.isascii():
        return ""
    return ", ".join(sorted({f"U+{ord(each):04X}" for each in _CONCEALING.findall(_FLAG.sub("", text))}))
