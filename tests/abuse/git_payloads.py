"""Attacks by what git reads in a workspace: settings, hooks and drivers that run programs for its user."""

from tests.abuse.attack import Attack

RUNS = "a program of its own, run by whoever looks at the workspace with git"
READS = "files of the machine in its patch"

START = """
git init -q . && git add -A && git -c user.name=x -c user.email=x@x commit -qm base && git remote add origin ../origin
"""
PAYLOAD = """
RUN="$PWD/.git/run-{number}"
printf '#!/bin/sh\\n%s\\nexit 0\\n' "$DEED" > "$RUN"
chmod +x "$RUN"
"""

SETTINGS = {
    "a file system monitor": 'git config core.fsmonitor "$RUN"',
    "a clean filter": 'git config filter.a.clean "$RUN"; echo "* filter=a" >> .git/info/attributes',
    "a smudge filter": 'git config filter.b.smudge "$RUN"; echo "* filter=b" >> .git/info/attributes',
    "a filter process": 'git config filter.c.process "$RUN"; echo "* filter=c" >> .git/info/attributes',
    "an external diff": 'git config diff.external "$RUN"',
    "a diff driver": 'git config diff.d.command "$RUN"; echo "* diff=d" >> .git/info/attributes',
    "a text conversion": 'git config diff.e.textconv "$RUN"; echo "* diff=e" >> .git/info/attributes',
    "a merge driver": 'git config merge.f.driver "$RUN"; echo "* merge=f" >> .git/info/attributes',
    "another folder of hooks": 'mkdir -p .git/h; cp "$RUN" .git/h/post-index-change; git config core.hooksPath .git/h',
    "an included setting": 'printf "[core]\\n fsmonitor = %s\\n" "$RUN" > .git/more; git config include.path more',
    "a conditional include": (
        'printf "[core]\\n fsmonitor = %s\\n" "$RUN" > .git/other; git config "includeIf.gitdir:**.path" other'
    ),
    "an editor": 'git config core.editor "$RUN"',
    "an ssh program": 'git config core.sshCommand "$RUN"; git remote set-url origin ssh://example.invalid/x',
    "an upload program": 'git config remote.origin.uploadpack "$RUN"',
    "a receive program": 'git config remote.origin.receivepack "$RUN"',
    "a signing program": 'git config gpg.program "$RUN"; git config commit.gpgSign true',
    "a foreign protocol": 'git remote set-url origin "ext::$RUN"; git config protocol.ext.allow always',
}
HOOKS = (
    *("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-checkout", "post-index-change"),
    *("reference-transaction", "pre-push", "post-rewrite"),
)
KINDS = {**SETTINGS, **{f"the hook {hook}": f'cp "$RUN" .git/hooks/{hook}' for hook in HOOKS}}

TABLE = [
    Attack(f"git: {name}", RUNS, PAYLOAD.format(number=number) + plant)
    for number, (name, plant) in enumerate(KINDS.items())
]

HABIT = """
export GIT_EDITOR= GIT_TERMINAL_PROMPT=0; unset GIT_EDITOR
me="git -c user.name=x -c user.email=x@x"
git status; git diff; echo more >> a.txt; git add -A; git diff --cached; $me commit -m x; $me commit --amend --no-edit
$me commit --amend; git push origin HEAD:refs/heads/x; git fetch origin
git checkout -b other HEAD~1; echo else >> a.txt
$me commit -a -m y; $me merge -m z - ; $me commit --amend; git status
"""
"""What people and tools do with a repository that they trust."""

HOSTILE = """
git init -q elsewhere && cd elsewhere
printf '#!/bin/sh\\n%s\\nexit 0\\n' "$DEED" > .git/run && chmod +x .git/run && git config core.fsmonitor "$PWD/.git/run"
cd .. && mv elsewhere/.git hidden && rmdir elsewhere
"""

PLACES = [
    Attack(
        "git: a file for .git",
        RUNS,
        HOSTILE + "git config -f hidden/config core.fsmonitor $PWD/hidden/run\n"
        "git config -f hidden/config core.worktree $PWD\necho 'gitdir: hidden' > .git; echo hidden > .gitignore",
    ),
    Attack(
        "git: a link for .git",
        RUNS,
        HOSTILE + "git config -f hidden/config core.fsmonitor $PWD/hidden/run\n"
        "ln -s hidden .git; echo hidden > .gitignore",
    ),
    Attack(
        "git: programs named like those that the worker uses",
        RUNS,
        """
for name in git tar sh mktemp grep mkdir rm head python3; do
    printf '#!/bin/sh\\n%s\\nexit 0\\n' "$DEED" > $name && chmod +x $name
done
mkdir -p bin && cp git tar sh mktemp bin && echo '*' > .gitignore""",
    ),
    Attack(
        "git: settings in the home folder",
        RUNS,
        """
printf '#!/bin/sh\\n%s\\nexit 0\\n' "$DEED" > "$HOME/run" && chmod +x "$HOME/run"
git config --global core.fsmonitor "$HOME/run" && echo "$DEED" > "$HOME/.profile"
mkdir -p "$HOME/.config/git" && cp "$HOME/.gitconfig" "$HOME/.config/git/config" """,
    ),
]
NAIVE = "git init -q . 2> /dev/null; PATH=.:$PATH git status; git add -A"

NESTED = Attack(
    "git: a repository inside a folder",
    RUNS,
    """
mkdir sub && cd sub && git init -q . && echo x > x && git add x && git -c user.name=x -c user.email=x@x commit -qm x
printf '#!/bin/sh\\n%s\\nexit 0\\n' "$DEED" > .git/run && chmod +x .git/run && git config core.fsmonitor "$PWD/.git/run"
""",
)

WORKTREE = Attack("git: a worktree on the machine", READS, 'git init -q . && git config core.worktree "$SECRETS"')
ALTERNATES = Attack(
    "git: objects of the machine",
    READS,
    'git init -q . && echo "$SECRETS/.git/objects" > .git/objects/info/alternates',
)
LINK = Attack(
    "git: a link to a file of the machine", READS, 'ln -s "$SECRETS/secret" stolen && ln -s "$SECRETS" folder'
)
