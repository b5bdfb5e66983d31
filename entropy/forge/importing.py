"""How a repository or a folder of sources on this machine becomes a repository of the forge."""

from pathlib import Path

from entropy.forge.gitrepo import GitError, GitRepository

AUTHOR = "Forge <forge@users.noreply.localhost>"


class ImportRefused(Exception):
    """The source cannot be taken in; the message is one sentence."""


def take(source: Path, target: GitRepository) -> str:
    """Fill `target`, which must not exist; the name of the default branch comes back."""
    if not source.exists():
        raise ImportRefused(f"{source} does not exist.")
    try:
        return _clone(source, target) if _is_repository(source) else _commit(source, target)
    except GitError as error:
        raise ImportRefused(f"{source} cannot be imported: {error}.") from None


def _is_repository(source: Path) -> bool:
    bare = (source / "HEAD").is_file() and (source / "objects").is_dir() and (source / "refs").is_dir()
    return bare or (source / ".git").exists() or source.is_file()


def _clone(source: Path, target: GitRepository) -> str:
    target.command(
        "clone", "--quiet", "--bare", "--no-local", "--template=", "--", str(source.absolute()), str(target.path)
    )
    target.run("remote", "remove", "origin")
    branch, tip = target.head_branch(), target.resolve("HEAD")
    if branch and tip:
        return branch
    heads = dict(target.refs("refs/heads/"))
    if not tip and not heads:
        raise ImportRefused(f"{source} has no commits; commit something first.")
    if tip and not heads:
        target.create_ref("refs/heads/main", tip)
    names = [name.removeprefix("refs/heads/") for name, _ in target.refs("refs/heads/")]
    chosen = next((name for name in ("main", "master") if name in names), names[0])
    target.run("symbolic-ref", "HEAD", f"refs/heads/{chosen}")
    return chosen


def _commit(source: Path, target: GitRepository) -> str:
    target.command("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(target.path))
    target.run("--work-tree", str(source.absolute()), "add", "--all", "--force", "--", ".", cwd=source.absolute())
    if not target.run("ls-files", "--cached"):
        raise ImportRefused(f"{source} is empty; there is nothing to import.")
    tree = target.run("write-tree").decode().strip()
    commit = target.commit_tree(tree, parents=(), message=f"Import {source.absolute().name}", author=AUTHOR)
    target.create_ref("refs/heads/main", commit)
    (target.path / "index").unlink(missing_ok=True)
    return "main"
