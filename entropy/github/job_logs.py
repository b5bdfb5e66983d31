"""What a job of GitHub Actions printed, as far as an agent can use it: the part that ends with its failure.

The forge points to the log on another host, at an address that is a credential by itself and works for a minute.
Nothing of ours goes there, and what comes from there is read to a limit: whoever writes a test decides what it prints.
"""

import logging
import re
import time
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response, Session
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from entropy.errors import ForgeRefused
from entropy.github.connection import Connection

log = logging.getLogger(__name__)

ACTIONS = "github-actions"
"""The slug of the App whose check runs are jobs; a run's id is its job's."""
LOG_TAIL = 8000
"""Characters of what a check printed that are of use to an agent."""
KEPT = 256 * 1024
"""Bytes of the log's end in which the failure is looked for."""
MOST = 64 * 1024 * 1024
"""Bytes that are read to get there, where the other host does not give the end alone."""
PATIENCE = 20.0
"""Seconds for one log."""
SILENCE = 10.0
"""Seconds without a byte after which nobody is waited for."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs"})
_CHUNK = 64 * 1024
_CUT = "\n[...]\n"
_ERROR = "##[error]"
_TIME = re.compile(r"\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z ?")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")


class JobLogs:
    def __init__(self, connection: Connection, *, patience: float = PATIENCE) -> None:
        self._connection = connection
        self._patience = patience

    def tail(self, repository: str, job: int) -> str:
        """At most `LOG_TAIL` characters; none where the log is gone, out of reach, or not to be had in time."""
        path, tried = f"/repos/{repository}/actions/jobs/{job}/logs", f"read the log of {repository}, job {job}"
        try:
            address = self._connection.locate(path, tried=tried)
            refuse_plain(address, api=self._connection.api)
            return excerpt(cleaned(_downloaded(address, time.monotonic() + self._patience)))
        except (ForgeRefused, RequestException, HTTPError, Unreadable) as error:
            # The address is in the words of the transport, and opens the log to whoever reads it.
            why = str(error) if isinstance(error, ForgeRefused | Unreadable) else type(error).__name__
            log.warning("no log of a failed job", extra={"item": repository, "job": job, "why": why})
            return ""


class Unreadable(Exception):
    """What came from the other host is no log, or too much of one."""


def refuse_plain(address: str, *, api: str) -> None:
    scheme = urlsplit(address).scheme
    if scheme != "https" and (scheme != "http" or urlsplit(api).scheme != "http"):
        raise Unreadable("the forge points to an address without encryption")


def cleaned(text: str) -> str:
    """Without times, colours, and what a terminal, a page or we ourselves would obey rather than show."""
    text = "\n".join(_TIME.sub("", line.rstrip("\r"), count=1).rpartition("\r")[2] for line in text.split("\n"))
    shown = (char for char in _ESCAPES.sub("", text) if char in "\n\t" or unicodedata.category(char) not in _UNSEEN)
    # Our own hidden marks on the forge are HTML comments: none may come out of a log.
    return "".join(shown).replace("<!--", "< !--")


def excerpt(text: str, limit: int = LOG_TAIL) -> str:
    """What ends with the last error, and where the first one is further away, what ends with that one too."""
    lines = text.rstrip().split("\n")
    errors = [at for at, line in enumerate(lines) if line.startswith(_ERROR)]
    if not errors:
        return tail(text.rstrip(), limit)
    first, last = ("\n".join(lines[: at + 1]) for at in (errors[0], errors[-1]))
    if len(last) - len(first) + len(lines[errors[0]]) <= limit:
        return tail(last, limit)
    half = limit // 2
    return tail(first, half) + _CUT + tail(last, limit - half - len(_CUT))


def tail(text: str, limit: int = LOG_TAIL) -> str:
    """The end, from the start of a line where there is one."""
    if len(text) <= limit:
        return text
    cut = text[-limit:]
    return cut.partition("\n")[2] or cut


def _downloaded(address: str, deadline: float) -> str:
    with Session() as session:
        session.auth = _anonymous
        with _asked(session, address) as answer:
            size = _size(answer)
            if size <= KEPT:
                return _end(answer, deadline).decode("utf-8", "replace")
        with _asked(session, address, {"Range": f"bytes={size - KEPT}-"}) as answer:
            return _end(answer, deadline).decode("utf-8", "replace")


def _anonymous(request: PreparedRequest) -> PreparedRequest:
    """With nothing, not even what a ``.netrc`` or the address itself holds for that host."""
    request.headers.pop("Authorization", None)
    return request


def _asked(session: Session, address: str, headers: Mapping[str, str] | None = None) -> Response:
    # Packed, a little would become more than anybody bears; and a second redirect is none of GitHub's.
    told = {"Accept-Encoding": "identity", "User-Agent": "entropy", **(headers or {})}
    answer = session.get(address, headers=told, stream=True, allow_redirects=False, timeout=SILENCE)
    if answer.status_code not in {200, 206} or "content-encoding" in answer.headers:
        answer.close()
        raise Unreadable(f"{urlsplit(address).hostname} answered {answer.status_code} and nothing that can be read")
    return answer


def _size(answer: Response) -> int:
    """Bytes of the whole; 0 where nothing is said of it."""
    told = answer.headers.get("content-length", "")
    return int(told) if re.fullmatch(r"[0-9]{1,15}", told) else 0


def _end(answer: Response, deadline: float) -> bytes:
    """The last bytes of what comes, as they come: a host that sends one at a time is not waited for."""
    kept, read, source = bytearray(), 0, answer.raw
    more: Callable[..., Any] = source.read1
    while chunk := more(_CHUNK, decode_content=False):
        read += len(chunk)
        if read > MOST or time.monotonic() > deadline:
            raise Unreadable(f"after {read} bytes there was no end of it")
        kept += chunk
        if len(kept) > 2 * KEPT:
            del kept[:-KEPT]
    return bytes(kept[-KEPT:])
