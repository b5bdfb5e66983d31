"""The files of a repository at one commit: folders, text, and anything else as a download."""

from dataclasses import dataclass

from entropy.forge.call import Call
from entropy.forge.gitrepo import GitError, GitRepository
from entropy.forge.refusals import not_found
from entropy.forge.web.sheet import HOME, Facts, Moved, Plain, Sheet, commit_at

LARGEST = 400_000
"""Bytes of a file that a page shows."""
Entry = tuple[str, str, str, int, str]
"""Mode, kind, sha, size and path."""


@dataclass(frozen=True)
class FileText:
    text: str | None
    """None for what is not text, or too long for a page."""
    why: str = ""


def read_text(git: GitRepository, entry: Entry) -> FileText:
    if entry[3] > LARGEST:
        return FileText(None, f"This file has {entry[3]:,} bytes, which is too long for a page.")
    content = git.read(entry[2])
    if b"\0" in content[:8000]:
        return FileText(None, "This file is not text.")
    return FileText(content.decode("utf-8", "replace"))


def _named(call: Call) -> tuple[str, str]:
    """Ref and path; both may have slashes, and no branch's name begins with another's and a slash."""
    where = call.params["where"].strip("/")
    kinds = ("refs/heads/", "refs/tags/")
    names = [name.removeprefix(kind) for kind in kinds for name, _ in call.git.refs(kind)]
    for name in sorted(names, key=len, reverse=True):
        if where == name or where.startswith(f"{name}/"):
            return name, where[len(name) + 1 :]
    ref, _, path = where.partition("/")
    return ref, path


def _found(call: Call) -> tuple[str, str, str]:
    """Ref, commit and path."""
    ref, path = _named(call)
    if "\0" in path or any(part in {"", ".", ".."} for part in (path.split("/") if path else [])):
        raise not_found()
    return ref, commit_at(call, ref).sha, path


def _entries(call: Call, sha: str, path: str) -> list[Entry]:
    try:
        return call.git.entries(sha, path)
    except GitError:
        raise not_found() from None


def _entry(call: Call, sha: str, path: str) -> Entry | None:
    return next(iter(_entries(call, sha, path)), None) if path else ("", "tree", sha, 0, "")


def _want(call: Call, entry: Entry | None, kind: str, ref: str) -> Entry:
    """A folder asked for as a file, or the other way round, has its page elsewhere."""
    if entry is None or entry[1] == "commit":
        raise not_found()
    if entry[1] != kind:
        raise Moved(f"/{call.repository['full_name']}/{entry[1]}/{ref}/{entry[4]}".rstrip("/"))
    return entry


def tree(call: Call) -> Facts:
    ref, sha, path = _found(call)
    _want(call, _entry(call, sha, path), "tree", ref)
    entries = sorted(_entries(call, sha, f"{path}/" if path else ""), key=lambda one: (one[1] != "tree", one[4]))
    newest = call.git.log(sha, limit=1, path=path)
    return {"ref": ref, "where": path, "entries": entries, "newest": newest[0] if newest else None}


def blob(call: Call) -> Facts | Plain:
    ref, sha, path = _found(call)
    entry = _want(call, _entry(call, sha, path), "blob", ref)
    if "raw" in call.query:
        content = call.git.read(entry[2])
        return Plain(content, "application/octet-stream" if b"\0" in content[:8000] else "text/plain; charset=utf-8")
    newest = call.git.log(sha, limit=1, path=path)
    shown = read_text(call.git, entry)
    lines = shown.text.replace("\r\n", "\n").removesuffix("\n").split("\n") if shown.text else []
    return {"ref": ref, "where": path, "entry": entry, "shown": shown, "lines": lines, "newest": newest[0]}


SHEETS = (
    Sheet(f"{HOME}/tree/{{where:path}}", "tree.html", tree),
    Sheet(f"{HOME}/blob/{{where:path}}", "blob.html", blob),
)
