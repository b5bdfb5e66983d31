"""Words of unknown origin made inert: they notify nobody, refer to nothing, hide nothing and are no command of ours."""

import re
import unicodedata

from entropy.lifecycle.scanning import cleansed

BREAK = "\N{ZERO WIDTH SPACE}"
"""Put behind whatever begins something that the forge, a bot or git would obey; people see no difference."""
LONGEST = 20_000
LONGEST_TITLE = 256
"""Characters that the forge takes."""
CUT = "*(cut here)*"

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0e\uffa0\U000e0100-\U000e01ef]")
"""What shows nothing, or nothing by itself, and is not counted among the unseen."""

_REFERENCES = r"""
      \#(?=\d) | (?<![a-z0-9])GH-(?=\d)     # other items
    | :(?=//)                              # addresses
    | \[(?=[^\]\n]{0,20}\b(?:ci|actions|checks?)\b[^\]\n]{0,20}\]) | \*\*\*(?=NO_CI)  # asking for no checks
"""
_ACTIVE = re.compile(
    rf"""
      {_REFERENCES}
    | @(?=\S)                              # people and teams
    | !(?=\[) | \](?=[(:\[]) | (?<![a-z0-9])www(?=\.) # images and links
    | <(?=[A-Za-z/!?]) | &(?=\#?\w+;)      # markup and what stands for a character
    | ^[ \t>*+-]*/(?=\w)                   # commands to bots
    | ^[ \t]*[A-Za-z]+(?:-[A-Za-z]+)+(?=[ \t]*:)  # what git reads as a trailer
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_IN_TITLE = re.compile(_REFERENCES, re.VERBOSE | re.IGNORECASE)
_IN_CODE = re.compile(
    r"\b(?:clos|fix|resolv)(?=\w*\b:?\s+\S*\d) | <(?=!) | ^[ \t]*/(?=[a-z][\w-]*(?:\s|$))",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
"""The forge obeys nothing in a block of code; what a simpler reader would take for a word to it is broken as well."""

_OPENS = re.compile(r"(`{3,})[^`]*|(~{3,}).*")
_NESTED = re.compile(r"^([ \t>*+\d.)-]+)(?=`{3}|~{3})")


def inert(text: str) -> str:
    """As Markdown; blocks of code stay as they are and end where the text ends."""
    lines, fence = [], ""
    # A line of its own for a block at either end: what we write before or behind must not spoil its fence.
    text = fitting(visible(text))
    for line in f"\n{text}".split("\n") if _OPENS.match(text) else text.split("\n"):
        if fence:
            over = re.fullmatch(rf" {{0,3}}{fence[0]}{{{len(fence)},}}[ \t]*", line)
            lines.append(fence if over else in_code(line))
            fence = "" if over else fence
        elif opened := _OPENS.fullmatch(line):
            fence = opened[1] or opened[2]
            lines.append(fence)  # without the language: some make the forge draw or offer something
        else:
            lines.append(_NESTED.sub(rf"\1{BREAK}", _ACTIVE.sub(rf"\g<0>{BREAK}", line), count=1))
    lines += [fence, ""] if fence else [""] if _OPENS.fullmatch(lines[-1]) else []
    return "\n".join(lines)


def inert_message(text: str) -> str:
    """In a commit's message, which knows no blocks of code."""
    return "\n".join(_ACTIVE.sub(rf"\g<0>{BREAK}", line) for line in fitting(visible(text)).split("\n")).strip()


def inert_title(text: str, *, beginning: str = "") -> str:
    """One line for the forge's titles, in which nobody is mentioned and nothing is marked up."""
    return _IN_TITLE.sub(rf"\g<0>{BREAK}", beginning + cleansed(_line(text))[0])[:LONGEST_TITLE]


def inert_line(text: str, limit: int = LONGEST_TITLE) -> str:
    """One line in which people would be mentioned, such as the first of a commit's message."""
    return _ACTIVE.sub(rf"\g<0>{BREAK}", cleansed(_line(text))[0])[:limit]


def in_code(text: str) -> str:
    """For a block of code of ours."""
    return _IN_CODE.sub(rf"\g<0>{BREAK}", visible(text))


def word(text: str, limit: int = 80) -> str:
    """For a code span of ours: one line, cut, that cannot leave it."""
    return in_code(_line(text[: 4 * limit]).replace("`", "'"))[:limit]


def visible(text: str) -> str:
    """Without what people do not see and machines would read; every kind of new line as one kind."""
    text = re.sub("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "\n", text)
    shown = (character for character in text if character in "\n\t" or unicodedata.category(character) not in _UNSEEN)
    return _BLANK.sub("", "".join(shown))


def _line(text: str) -> str:
    return " ".join(visible(text).split())


def fitting(text: str, limit: int = LONGEST) -> str:
    """As much of it as people may be asked to read."""
    return text if len(text) <= limit else f"{text[:limit]}\n{CUT}"
