"""Commits: the list that leads to a point, and one with its diff."""

from collections.abc import Sequence

from entropy.forge.call import Call
from entropy.forge.comparisons import compare
from entropy.forge.diffs import ChangedFile, changed_files
from entropy.forge.gitrepo import Commit, GitRepository
from entropy.forge.records import statuses
from entropy.forge.web.changes import file_diffs
from entropy.forge.web.conversation import check_lines
from entropy.forge.web.sheet import HOME, Facts, Sheet, commit_at

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def log(call: Call) -> Facts:
    ref = call.params["where"]
    newest, page = commit_at(call, ref), call.page
    rows = call.git.log(newest.sha, limit=page.size, skip=page.offset)
    return {"ref": ref, "commits": rows, "total": call.git.count(newest.sha)}


def commit(call: Call) -> Facts:
    row = commit_at(call, call.params["sha"])
    key = (call.repository_id, row.sha)
    return {
        "commit": row,
        "diffs": file_diffs(_changed(call.git, row)),
        "checks": check_lines(statuses.latest(call.db, *key), statuses.runs(call.db, key)),
    }


def _changed(git: GitRepository, row: Commit) -> Sequence[ChangedFile]:
    if row.parents:
        return compare(git, row.parents[0], row.sha).files
    return changed_files(git, EMPTY_TREE, row.sha)


SHEETS = (
    Sheet(f"{HOME}/commits/{{where:path}}", "commits.html", log),
    Sheet(f"{HOME}/commit/{{sha}}", "commit.html", commit),
)
