"""Pull requests: list, open, look at, edit."""

import sqlite3

from entropy.forge import tracking
from entropy.forge.call import Call, Endpoint, Reply, total
from entropy.forge.comparisons import Comparison, compare
from entropy.forge.gitrepo import Commit
from entropy.forge.names import is_ref
from entropy.forge.permissions import Level
from entropy.forge.present import commits as commit_shapes
from entropy.forge.present import pulls as shapes
from entropy.forge.records import issues, pulls
from entropy.forge.refusals import forbidden, invalid, refused
from entropy.forge.routes.issues import change
from entropy.forge.routes.repositories import HOME

PULL = f"{HOME}/pulls/{{number}}"


def find(call: Call) -> Reply:
    head = call.query.get("head")
    owner, _, branch = head.rpartition(":") if head else ("", "", "")
    page = call.page
    wanted = pulls.PullFilter(
        state=call.chosen("state", ("open", "closed", "all"), "open"),
        head=branch if head else None,
        base=call.query.get("base"),
        sort=call.chosen("sort", ("created", "updated", "popularity", "long-running"), "created"),
        ascending=call.chosen("direction", ("asc", "desc"), "desc") == "asc",
        limit=page.size,
        offset=page.offset,
    )
    foreign = owner and owner.lower() != call.repository["owner"].lower()
    rows = [] if foreign else pulls.find(call.db, call.repository_id, wanted)
    return call.listing([shapes.simple(call.view, row) for row in rows], total(rows))


def current(call: Call) -> sqlite3.Row:
    """The pull request that the path names, as its branches are now."""
    return tracking.current(call.store, call.db, call.repository, call.pull())


def compared(call: Call, pull: sqlite3.Row) -> Comparison:
    return compare(call.git, pull["base_sha"], pull["head_sha"])


def shown(call: Call, pull: sqlite3.Row, status: int = 200) -> Reply:
    found = compared(call, pull)
    measures = shapes.Measures(
        mergeable=None if pull["state"] == "closed" else found.tree is not None,
        commits=found.ahead,
        additions=sum(file.additions for file in found.files),
        deletions=sum(file.deletions for file in found.files),
        changed_files=len(found.files),
        behind=found.behind > 0,
    )
    return Reply(status, shapes.pull(call.view, pull, measures))


def get(call: Call) -> Reply:
    pull = current(call)
    if any(word in call.accept for word in (".diff", ".patch")):
        raw = call.git.diff(compared(call, pull).start, pull["head_sha"])
        return Reply(headers={"Content-Type": "application/vnd.github.diff; charset=utf-8"}, raw=raw)
    return shown(call, pull)


def create(call: Call) -> Reply:
    body = call.body.of("PullRequest")
    title, text, draft = body.required("title", limit=256), body.text("body"), body.flag("draft")
    span = _span(call, body.required("head"), body.required("base"))
    if pulls.of_branch(call.db, call.repository_id, head=span.head, base=span.base):
        label = f"{call.repository['owner']}:{span.head}"
        raise refused("PullRequest", f"A pull request already exists for {label}.")
    if not call.git.merge_base(span.base_sha, span.head_sha):
        raise refused("PullRequest", f"The {span.head} branch has no history in common with {span.base}")
    if not compare(call.git, span.base_sha, span.head_sha).ahead:
        raise refused("PullRequest", f"No commits between {span.base} and {span.head}")
    issue = issues.create(call.db, call.repository_id, call.my_id, title=title, body=text, is_pull=True)
    pull = pulls.attach(call.db, issue["id"], span, draft=draft)
    issues.link(call.db, pull, call.repository["full_name"])
    tracking.show(call.git, pull["number"], span.head_sha)
    return shown(call, pull, 201)


def _span(call: Call, head: str, base: str) -> pulls.Span:
    """Both branches, in this repository: there are no forks here."""
    owner, _, branch = head.rpartition(":")
    foreign = owner and owner.lower() != call.repository["owner"].lower()
    head_sha = None if foreign or not is_ref(branch) else call.git.branch(branch)
    base_sha = call.git.branch(base)
    if head_sha is None:
        raise invalid("PullRequest", "head")
    if base_sha is None:
        raise invalid("PullRequest", "base")
    return pulls.Span(base=base, base_sha=base_sha, head=branch, head_sha=head_sha)


def edit(call: Call) -> Reply:
    pull = current(call)
    body = call.body.of("PullRequest")
    if body.text("state") == "open" and pull["state"] == "closed":
        _refuse_second(call, pull)
    change(call, pull)
    base = body.text("base")
    if base and base != pull["base_ref"]:
        if pull["user_id"] != call.my_id and call.level < Level.WRITE:
            raise forbidden("write")
        sha = call.git.branch(base)
        if sha is None or pull["state"] == "closed":
            raise invalid("PullRequest", "base")
        pulls.retarget(call.db, pull, call.my_id, base=base, sha=sha)
    return shown(call, current(call))


def _refuse_second(call: Call, pull: sqlite3.Row) -> None:
    if pulls.of_branch(call.db, call.repository_id, head=pull["head_ref"], base=pull["base_ref"]):
        label = f"{call.repository['owner']}:{pull['head_ref']}"
        raise refused("PullRequest", f"A pull request already exists for {label}.")
    if call.git.branch(pull["head_ref"]) is None:
        raise refused("PullRequest", f"The {pull['head_ref']} branch is gone, so this cannot be opened again.")


def files(call: Call) -> Reply:
    pull, page = current(call), call.page
    found = compared(call, pull).files
    chosen = found[page.offset : page.offset + page.size]
    at = pull["head_sha"]
    return call.listing(
        [commit_shapes.changed_file(call.view, call.repository, file, at) for file in chosen], len(found)
    )


def commits(call: Call) -> Reply:
    pull, page = current(call), call.page
    newest = _commits(call, pull)
    chosen = newest[::-1][page.offset : page.offset + page.size]
    return call.listing([commit_shapes.commit(call.view, call.repository, row) for row in chosen], len(newest))


def of_commit(call: Call) -> Reply:
    """Those that bring a commit in, or have brought it."""
    sha = call.commit(call.params["ref"])
    everything = pulls.find(call.db, call.repository_id, pulls.PullFilter(state="all", limit=-1))
    found = [
        row
        for row in everything
        if sha in {row["head_sha"], row["merge_sha"]}
        or (row["state"] == "open" and sha in {each.sha for each in _commits(call, row)})
    ]
    chosen = found[call.page.offset : call.page.offset + call.page.size]
    return call.listing([shapes.simple(call.view, row) for row in chosen], len(found))


def _commits(call: Call, pull: sqlite3.Row) -> list[Commit]:
    return call.git.log(f"{pull['base_sha']}..{pull['head_sha']}", limit=250)


TABLE = (
    Endpoint("GET", f"{HOME}/commits/{{ref:path}}/pulls", of_commit),
    Endpoint("GET", f"{HOME}/pulls", find),
    Endpoint("POST", f"{HOME}/pulls", create),
    Endpoint("GET", PULL, get),
    Endpoint("PATCH", PULL, edit),
    Endpoint("GET", f"{PULL}/files", files),
    Endpoint("GET", f"{PULL}/commits", commits),
)
