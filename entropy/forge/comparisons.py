"""What lies between two commits: measured once, since commits never change."""

from dataclasses import dataclass
from functools import lru_cache

from entropy.forge.diffs import ChangedFile, changed_files
from entropy.forge.gitrepo import GitRepository


@dataclass(frozen=True)
class Comparison:
    start: str
    """Where the two part: their merge base, or the base where they share nothing."""
    tree: str | None
    """The tree of their merge; None on conflict."""
    ahead: int
    behind: int
    files: tuple[ChangedFile, ...]
    """What the head changes since `start`."""

    @property
    def status(self) -> str:
        if self.ahead and self.behind:
            return "diverged"
        return "ahead" if self.ahead else ("behind" if self.behind else "identical")


@lru_cache(maxsize=256)
def compare(git: GitRepository, base: str, head: str) -> Comparison:
    start = git.merge_base(base, head)
    return Comparison(
        start=start or base,
        tree=git.merge_tree(base, head) if start else None,
        ahead=git.count(f"{base}..{head}"),
        behind=git.count(f"{head}..{base}"),
        files=tuple(changed_files(git, start or base, head)),
    )
