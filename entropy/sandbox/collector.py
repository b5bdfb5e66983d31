"""Turns what untrusted work left behind into a patch, with a git that nothing untrusted has touched.

It runs inside: in a cell without network where no untrusted process ever was, the workspace read-only, repository and
configuration its own. The host never runs git on a workspace.
"""

from typing import BinaryIO

from entropy.errors import ConfigurationError, PolicyViolation, SandboxUnavailable
from entropy.sandbox.command import Cell, Command
from entropy.sandbox.policy import COLLECT_SECONDS, KIB, WORKSPACE, SandboxPolicy
from entropy.sandbox.snapshot import UNPACK

BASE_FAILED, ADD_FAILED, NESTED, NO_GIT = 81, 82, 83, 84

ATTRIBUTES = "* !text !eol !crlf !ident !filter !working-tree-encoding !diff !merge !whitespace"
"""Of highest precedence, so that no ``.gitattributes`` in the tree has a say."""

CONFIGURATION = """\
[core]
    bare = true
    fileMode = true
    symlinks = true
    autocrlf = false
    fsmonitor = false
    untrackedCache = false
    hooksPath = /dev/null
    attributesFile = /dev/null
    excludesFile = /dev/null
    fsync = none
    looseCompression = 0
[diff]
    ignoreSubmodules = all
[gc]
    auto = 0
"""

SCRIPT = f"""\
set -eu
umask 022
command -v git > /dev/null || exit {NO_GIT}
home=$(mktemp -d)
mkdir "$home/base" "$home/git" "$home/template"
export HOME="$home" GIT_DIR="$home/git" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_ATTR_NOSYSTEM=1
export GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 GIT_NO_REPLACE_OBJECTS=1
unpack() {{
    cd "$home/base" &&
    {" ".join(UNPACK)} &&
    git init --quiet --bare --template="$home/template" &&
    mkdir -p "$GIT_DIR/info" &&
    printf '%s\\n' '{ATTRIBUTES}' > "$GIT_DIR/info/attributes" &&
    printf '%s' '{CONFIGURATION}' > "$GIT_DIR/config" &&
    GIT_WORK_TREE="$home/base" git add --all --force .
}}
unpack >&2 || exit {BASE_FAILED}
cd {WORKSPACE}
base=$(git write-tree)
rm -rf "$home/base" "$GIT_DIR/index"
# An index without stat data: every file is read again, whatever its times say.
git read-tree "$base"
export GIT_WORK_TREE={WORKSPACE}
warnings=$(git add --all . 2>&1) && added=yes || added=no
if git ls-files --stage | grep -q '^160000 '; then exit {NESTED}; fi
# It warns of folders that it cannot read and goes on: a patch without them would be a wrong one.
[ "$added$warnings" = yes ] || {{ printf '%s' "$warnings" >&2; exit {ADD_FAILED}; }}
exec git diff --cached --binary --full-index --no-ext-diff --no-textconv --no-renames --no-color \\
    --src-prefix=a/ --dst-prefix=b/ "$base"
"""

REFUSALS = {
    ADD_FAILED: "git cannot read the workspace",
    NESTED: "the workspace holds a git repository of its own inside a folder",
    None: "git did not get through the workspace in time",
}


def collect(cell: Cell, tree: bytes | BinaryIO, policy: SandboxPolicy) -> bytes:
    """The difference between `tree` and the workspace; raises `PolicyViolation` when there is no acceptable one."""
    cell.kill()
    command = Command(["/bin/sh", "-c", SCRIPT], stdin=tree, seconds=COLLECT_SECONDS, keep=(policy.patch, 0))
    status = cell.inspect(command).status
    complaint = " ".join(command.stderr.text()[-KIB:].split())
    if status == NO_GIT:
        raise ConfigurationError("There is no git in the sandbox; build the image with ops/images/build.")
    if status == BASE_FAILED:
        raise SandboxUnavailable(f"The collector could not unpack the snapshot: {complaint}")
    if status != 0:
        reason = REFUSALS.get(status, f"git ended with status {status}")
        raise PolicyViolation(f"No patch could be made: {reason}. {complaint!r}")
    if command.stdout.truncated:
        raise PolicyViolation(
            f"The patch has {command.stdout.total} bytes, more than ENTROPY_SANDBOX__PATCH_MIB allows."
        )
    return command.stdout.content()
