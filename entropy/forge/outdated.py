"""Where the line of a review comment is now, after the pull request went on."""

import sqlite3

from entropy.forge.comparisons import compare
from entropy.forge.diffs import places
from entropy.forge.gitrepo import GitRepository


def line_now(git: GitRepository, pull: sqlite3.Row, comment: sqlite3.Row) -> int | None:
    """None where the diff does not show the line any more: the comment is outdated."""
    if comment["commit_sha"] == pull["head_sha"]:
        return int(comment["line"])
    files = compare(git, pull["base_sha"], pull["head_sha"]).files
    patch = next((file.patch for file in files if file.path == comment["path"]), "")
    said = comment["hunk"].rsplit("\n", 1)[-1]
    alike = [
        line
        for (side, line), place in places(patch).items()
        if side == comment["side"] and place.hunk.rsplit("\n", 1)[-1] == said
    ]
    return min(alike, key=lambda line: abs(line - comment["line"]), default=None)
