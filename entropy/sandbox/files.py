"""Single files of a workspace, written from outside."""

from pathlib import PurePosixPath

from entropy.errors import PolicyViolation
from entropy.sandbox.interface import Sandbox

SCRIPT = 'mkdir -p -- "$(dirname -- "$1")" && cat > "$1"'


def write_file(sandbox: Sandbox, path: str, content: bytes) -> None:
    """Write one file of the workspace, with its folders; `path` is relative and stays inside."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or ".git" in parts or not path.isprintable():
        raise PolicyViolation(f"{path!r} is not the path of a file in the workspace.")
    result = sandbox.exec(["sh", "-c", SCRIPT, "write", f"./{PurePosixPath(path)}"], stdin=content)
    if result.exit_status != 0:
        raise PolicyViolation(f"{path} cannot be written in the workspace: {result.stderr.strip()}")
