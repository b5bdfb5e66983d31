"""Commands in the sandbox and what is kept of them: output comes from untrusted code and is read by people."""

import re
import shlex
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from entropy.models import Evidence
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.interface import Sandbox

TAIL_BYTES = 4096

_ESCAPES = re.compile(
    r"""
      \x1b\[ [0-?]* [ -/]* [@-~]                    # colours, cursor movement
    | \x1b[\]PX^_] [^\x07\x1b]* (?: \x07 | \x1b\\ )  # window titles, hyperlinks
    | \x1b [ -/]* [0-~]                              # everything shorter
    """,
    re.VERBOSE,
)


class Observation(NamedTuple):
    """A command's evidence, and its whole cleaned output for who has to look further than the tail."""

    evidence: Evidence
    output: str


def observe(
    sandbox: Sandbox, command: Sequence[str], *, phase: Phase = Phase.TEST, as_run: Sequence[str] | None = None
) -> Observation:
    """Run a command; `as_run` is what is executed where that differs from what people should read."""
    result = sandbox.exec(as_run or command, phase=phase)
    output = clean("\n".join(part for part in (result.stdout, result.stderr) if part))
    evidence = Evidence(
        command=tuple(command),
        exit_status=None if result.timed_out else result.exit_status,
        output=tail(output),
        seconds=result.seconds,
    )
    return Observation(evidence, output)


def clean(text: str) -> str:
    """Without what a terminal or a page would obey rather than show."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    shown = (char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
    # Our own hidden marks on the forge are HTML comments: none may come out of a sandbox.
    return "".join(shown).replace("<!--", "< !--")


def tail(text: str, limit: int = TAIL_BYTES) -> str:
    """The last `limit` bytes, from the start of a line where there is one."""
    text = text.rstrip()
    kept = text.encode()[-limit:].decode(errors="ignore")
    if len(kept) == len(text):
        return text
    _, newline, whole_lines = kept.partition("\n")
    return whole_lines if newline else kept


def ending(evidence: Evidence) -> str:
    """How a command ended, as part of a sentence."""
    command = quote(shlex.join(evidence.command))
    if evidence.exit_status is None:
        return f"{command} was stopped at its time limit"
    if evidence.exit_status == 137:
        return f"{command} was killed, most likely for want of memory"
    return f"{command} ended with exit status {evidence.exit_status}"


def quote(text: str, limit: int = 300) -> str:
    """Text of unknown origin as a Markdown code span: one line, without mentions, links or markup."""
    line = " ".join(clean(text).split()).replace("`", "'")
    return f"`{line[: limit - 1]}…`" if len(line) > limit else f"`{line}`"
