"""What published words would do: read as the forge reads them, without a line of the code that made them inert."""

import re
import unicodedata
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

OURS = re.compile(r"<!-- entropy:(status|review|answer|progress)[: ][^\n]* -->\n?|</?(details|summary|sub)>")
LIVE = re.compile(
    r"""
      (?:^|[^\w])@\w                                # a person or a team
    | \#\d | \bgh-\d                                # another item
    | https?:// | \bwww\.\w                         # an address
    | \[(?:skip|no)[ -](?:ci|checks|actions)\] | \[(?:ci|actions)[ -]skip\] | \*\*\*no_ci
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
COMMAND = re.compile(r"^[ \t]*/[a-z][\w-]*(?:[ \t].*)?$", re.IGNORECASE | re.MULTILINE)
"""To a bot, which reads lines and no Markdown."""
CLOSING = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+((?:(?:[\w.-]+/[\w.-]+)?#|gh-|https?://\S+/)\d+)", re.IGNORECASE
)
TRAILER = re.compile(r"^[a-z]+(?:-[a-z]+)+[ \t]*:.*$", re.IGNORECASE | re.MULTILINE)
SEEN_THROUGH = "\N{ZERO WIDTH SPACE}"
"""It holds nothing but is between two characters."""


def alive(markdown: str, *, numbers: tuple[int, ...] = ()) -> list[str]:
    """Everything in a body that the forge would act upon; references to `numbers` are meant to be there."""
    found = [f"unseen {character!r}" for character in hidden(markdown)]
    found += [f"commands {each}" for each in COMMAND.findall(markdown)]
    wanted = {f"#{number}" for number in numbers}
    found += [f"closes {each}" for each in CLOSING.findall(markdown) if each not in wanted]
    for token in _leaves(MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)):
        found += _acts(token, wanted)
    return found


def alive_in_commit(message: str, *, trailers: tuple[str, ...] = ()) -> list[str]:
    """The same of a commit's message, which is plain text."""
    found = [f"unseen {character!r}" for character in hidden(message)]
    found += [each[0] for each in LIVE.finditer(message)]
    return found + [line for line in TRAILER.findall(message) if not line.startswith(trailers or ("\0",))]


def hidden(text: str) -> list[str]:
    strange = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return [c for c in text if unicodedata.category(c) in strange and c not in "\n\t" and c != SEEN_THROUGH]


def _leaves(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _leaves(token.children or [])


def _acts(token: Token, wanted: set[str]) -> Iterator[str]:
    if token.type in {"image", "link_open"}:
        yield f"{token.type} {token.attrs}"
    elif token.type in {"html_block", "html_inline"}:
        # What stands between tags of a block of HTML is text to the forge.
        rest = OURS.sub("", token.content)
        if "<" in rest:
            yield f"markup {rest!r}"
        yield from (each[0] for each in LIVE.finditer(rest) if each[0] not in wanted)
    elif token.type == "fence" and token.info not in {"", "text"}:
        yield f"block of {token.info}"
    elif token.type in {"text", "text_special"}:
        numbers = re.sub(r"#\d+", lambda each: "" if each[0] in wanted else each[0], token.content)
        yield from (each[0] for each in LIVE.finditer(numbers))
