"""A repository in the workspace is for reading: nothing of it is in the patch, and nothing in it has a say there."""

import io
import subprocess
from pathlib import Path

from entropy.sandbox.interface import Sandbox
from tests.integration.sandbox.trees import tar

SPOIL = """
echo new >> README
git log --format=%s
git commit -qam 'Mine' && echo newer >> README
git config core.fsmonitor 'touch /workspace/ran; false'
git config filter.x.clean 'touch ran; tr a-z A-Z'
git config core.excludesFile /workspace/README
echo '* filter=x' > .git/info/attributes || { mkdir .git/info && echo '* filter=x' > .git/info/attributes; }
echo README > .git/info/exclude
echo kept > .git/kept
cp -r .git moved && mv moved .git/nested
"""


def repository(folder: Path) -> bytes:
    """A tar as a snapshot with history is: first the repository, then the files."""
    words = [["init", "-q", "--template=", "-b", "base"], ["add", "-A"], ["commit", "-qm", "Before"]]
    (folder / "README").write_text("old\n")
    who = {f"GIT_{role}_{part}": "ada" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    for line in words:
        subprocess.run(["git", *line], cwd=folder, env={"PATH": "/usr/bin:/bin", **who}, check=True)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    inside = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return tar(dict(sorted(inside.items())))


def test_a_repository_in_the_workspace_has_no_say(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put(io.BytesIO(repository(tmp_path)))
    who = "export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x\n"
    result = sandbox.exec(["sh", "-c", who + SPOIL])
    assert result.exit_status == 0, result
    assert result.stdout.splitlines()[0] == "Before"
    patch = sandbox.collect()
    assert [line for line in patch.splitlines() if line.startswith(b"diff")] == [b"diff --git a/README b/README"]
    assert b"+new\n+newer\n" in patch
