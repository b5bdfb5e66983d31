"""Attacks by what a change is called and what kind of thing it is: names for git, for the forge, for the eye."""

from typing import NamedTuple

from tests.abuse.attack import Attack

GITS = "to steer git wherever the branch is checked out"
RIGHTS = "a workflow that runs with the rights of the repository"
OUT = "a file outside of the repository"
EYE = "a name that a reviewer takes for another"
KIND = "a file that leads out of the repository"
MUCH = "a change that nobody can review, and a repository that is full"

Row = tuple[str, str, bytes]


def attack(row: Row) -> Attack:
    return Attack(f"patch: {row[0]}", row[1], ascii(row[2]))


NAMES: list[Row] = [
    ("a file for git's attributes", GITS, b".gitattributes"),
    ("attributes in a folder", GITS, b"src/.gitattributes"),
    ("submodules", GITS, b".gitmodules"),
    ("a configuration for git", GITS, b".gitconfig"),
    ("a workflow", RIGHTS, b".github/workflows/evil.yml"),
    ("a workflow in a folder below", RIGHTS, b".github/workflows/a/b.yml"),
    ("an action", RIGHTS, b".github/actions/evil/action.yml"),
    ("a workflow in capitals", RIGHTS, b".GitHub/Workflows/evil.yml"),
    ("a workflow with a ligature", RIGHTS, ".github/work\ufb02ows/evil.yml".encode()),
    ("a workflow with the sign for kelvin", RIGHTS, ".github/wor\u212aflows/evil.yml".encode()),
    ("a workflow with a long s", RIGHTS, ".github/workflow\u017f/evil.yml".encode()),
    ("a workflow in letters of full width", RIGHTS, ".github/\uff57orkflows/evil.yml".encode()),
    ("a workflow behind a dot of full width", RIGHTS, "\uff0egithub/workflows/evil.yml".encode()),
    ("a workflow with a joiner of no width", RIGHTS, ".github/work\u200dflows/evil.yml".encode()),
    ("a workflow with a variation selector", RIGHTS, ".github/workflows\ufe0f/evil.yml".encode()),
    ("a workflow with a filler that shows nothing", RIGHTS, ".github/workflows\u3164/evil.yml".encode()),
    ("modules with a space of no width", GITS, ".git\u200bmodules".encode()),
    ("modules in letters of full width", GITS, ".\uff47\uff49\uff54modules".encode()),
    ("attributes in capitals", GITS, b".GITATTRIBUTES"),
    ("a name that is read from right to left", EYE, "src/\u202eyp.exe".encode()),
    ("a name with a mark of byte order", EYE, "src/\ufeffwidgets.py".encode()),
    ("a name with a line break", EYE, b"src/a\n+++ b/.github/workflows/evil.yml"),
    ("a name with an escape", EYE, b"src/\x1b]0;evil\x07.py"),
    ("a name with a tabulator", EYE, b"src/a\tb.py"),
    ("a name with a backspace", EYE, b"src/evil\x08\x08\x08\x08good.py"),
    ("a name that is no UTF-8", EYE, b"src/\xff\xfe.py"),
    ("a name with a separator of lines", EYE, "src/a\u2028b.py".encode()),
]
"""Names of files that a workspace may hold, and that git takes out of it."""

ABSOLUTE = "/tmp/outside-of-every-repository"

RAW_NAMES: list[Row] = [
    ("above the top", OUT, b"../outside"),
    ("above the top from within", OUT, b"src/../../outside"),
    ("an absolute name", OUT, ABSOLUTE.encode()),
    ("git's own folder", GITS, b".git/hooks/post-checkout"),
    ("git's own folder in capitals", GITS, b".GIT/config"),
    ("git's own folder inside a folder", GITS, b"src/.git/config"),
    ("git's own folder with a trailing dot", GITS, b".git./config"),
    ("git's own folder with a trailing space", GITS, b".git /config"),
    ("git's own folder by its short name", GITS, b"git~1/config"),
    ("git's own folder by its stream", GITS, b".git::$INDEX_ALLOCATION/config"),
    ("git's own folder with a joiner of no width", GITS, ".g\u200cit/config".encode()),
    ("git's own folder in letters of full width", GITS, ".\uff47\uff49\uff54/config".encode()),
    ("git's own folder by a backslash", GITS, b".git\\config"),
    ("a workflow by a backslash", RIGHTS, b".github\\workflows\\evil.yml"),
    ("modules by their short name", GITS, b"gitmod~1"),
]
"""Names that git would not take out of a workspace: the patch is written by hand."""


def quoted(path: bytes) -> bytes:
    """As git writes it in a patch."""
    return b'"' + b"".join(bytes([c]) if 32 <= c < 127 and c not in b'"\\' else b"\\%03o" % c for c in path) + b'"'


def added(path: bytes, *, mode: bytes = b"100644", content: bytes = b"evil") -> bytes:
    before, after = quoted(b"a/" + path), quoted(b"b/" + path)
    head = b"diff --git %s %s\nnew file mode %s\n--- /dev/null\n+++ %s\n" % (before, after, mode, after)
    return head + b"@@ -0,0 +1 @@\n+%s\n" % content


def _gitlink(path: bytes) -> bytes:
    commit = b"Subproject commit " + b"1" * 40
    return added(path, mode=b"160000", content=commit)


class Raw(NamedTuple):
    """A patch by hand."""

    row: Row
    patch: bytes
    whole: bool = True
    """Whether a careless git takes it as it is, or only one file after the other."""


def no_newline(patch: bytes) -> bytes:
    return patch + b"\\ No newline at end of file\n"


RAW = [
    *(Raw(row, added(row[2])) for row in RAW_NAMES),
    Raw(
        ("a link to a file of the machine", KIND, b"link"),
        no_newline(added(b"link", mode=b"120000", content=b"/etc/passwd")),
    ),
    Raw(("a link to a folder above", KIND, b"link"), no_newline(added(b"link", mode=b"120000", content=b"../.."))),
    Raw(
        ("a link, and a file through it", OUT, b"link/evil"),
        no_newline(added(b"link", mode=b"120000", content=b"/tmp")) + added(b"link/evil"),
        whole=False,
    ),
    Raw(("a repository as a folder", KIND, b"sub"), _gitlink(b"sub")),
    Raw(
        ("a file that becomes a link", KIND, b"README.rst"),
        b"diff --git a/README.rst b/README.rst\ndeleted file mode 100644\n--- a/README.rst\n+++ /dev/null\n"
        b"@@ -1 +0,0 @@\n-Widgets\n" + no_newline(added(b"README.rst", mode=b"120000", content=b"/etc/passwd")),
    ),
    Raw(
        ("a workflow that is taken away", RIGHTS, b".github/workflows/ci.yml"),
        b"diff --git a/.github/workflows/ci.yml b/.github/workflows/ci.yml\ndeleted file mode 100644\n"
        b"--- a/.github/workflows/ci.yml\n+++ /dev/null\n@@ -1 +0,0 @@\n-on: push\n",
    ),
    Raw(
        ("a workflow that is moved away", RIGHTS, b".github/workflows/ci.yml"),
        b"diff --git a/.github/workflows/ci.yml b/ci.yml\nsimilarity index 100%\n"
        b"rename from .github/workflows/ci.yml\nrename to ci.yml\n",
    ),
    Raw(
        ("a file that is moved to the workflows", RIGHTS, b"README.rst"),
        b"diff --git a/README.rst b/.github/workflows/evil.yml\nsimilarity index 100%\n"
        b"rename from README.rst\nrename to .github/workflows/evil.yml\n",
    ),
    Raw(
        ("a copy of a workflow", RIGHTS, b".github/workflows/ci.yml"),
        b"diff --git a/.github/workflows/ci.yml b/.github/workflows/evil.yml\nsimilarity index 100%\n"
        b"copy from .github/workflows/ci.yml\ncopy to .github/workflows/evil.yml\n",
    ),
    Raw(
        ("a workflow that may be executed", RIGHTS, b".github/workflows/ci.yml"),
        b"diff --git a/.github/workflows/ci.yml b/.github/workflows/ci.yml\nold mode 100644\nnew mode 100755\n",
    ),
    Raw(("10,000 files", MUCH, b"many"), b"".join(added(b"many/%d" % number) for number in range(10_000))),
]
