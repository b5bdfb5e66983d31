"""One page: its path, its template, and what the template is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from entropy.forge.call import Call
from entropy.forge.gitrepo import Commit, GitError
from entropy.forge.refusals import not_found

HOME = "/{owner}/{repo}"
Facts = Mapping[str, object]


@dataclass(frozen=True)
class Plain:
    """Instead of a page: content that is handed over as it is."""

    content: bytes
    kind: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Sheet:
    path: str
    template: str
    gather: Callable[[Call], Facts | Plain]


class Moved(Exception):
    """What is asked for has its page elsewhere; `path` is not yet quoted."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.address = quote(path)


def commit_at(call: Call, name: str) -> Commit:
    """The commit that a path names, by branch, tag or sha."""
    try:
        sha = call.git.commit_of(name)
    except GitError:
        sha = None
    if sha is None:
        raise not_found()
    return call.git.log(sha, limit=1)[0]
