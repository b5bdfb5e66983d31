"""Refs, branches, commits and files."""

from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.comparisons import compare
from entropy.forge.gitrepo import Commit
from entropy.forge.names import is_ref, is_sha
from entropy.forge.permissions import Level
from entropy.forge.present import commits as shapes
from entropy.forge.present.repositories import api_url
from entropy.forge.refusals import Refusal, not_found
from entropy.forge.routes.repositories import HOME
from entropy.forge.routes.statuses import COMMIT
from entropy.forge.tracking import follow

REF = f"{HOME}/git/refs/{{ref:path}}"


def _shown_ref(call: Call, name: str, status: int = 200) -> Reply:
    sha = call.git.ref(name)
    if sha is None:
        raise not_found()
    return Reply(status, shapes.ref(call.view, call.repository, name, (call.git.kind(sha), sha)))


def _name(call: Call) -> str:
    name = f"refs/{call.params['ref']}"
    if not is_ref(name):
        raise not_found()
    return name


def ref(call: Call) -> Reply:
    return _shown_ref(call, _name(call))


def refs(call: Call) -> Reply:
    """Those whose names begin so."""
    wanted = f"refs/{call.params.get('ref', '')}"
    found = [(name, sha) for name, sha in call.git.refs("refs/") if name.startswith(wanted)]
    chosen = found[call.page.offset : call.page.offset + call.page.size]
    shown = [shapes.ref(call.view, call.repository, name, (call.git.kind(sha), sha)) for name, sha in chosen]
    return call.listing(shown, len(found))


def create_ref(call: Call) -> Reply:
    body = call.body.of("Reference")
    name, sha = body.required("ref"), body.required("sha")
    if not name.startswith("refs/") or name.count("/") < 2 or not is_ref(name) or name.startswith("refs/pull/"):
        raise Refusal(422, "Reference name must start with 'refs/', contain two slashes and be well formed.")
    if not is_sha(sha) or call.git.resolve(sha, "object") is None:
        raise Refusal(422, "Object does not exist")
    if not call.git.create_ref(name, sha):
        known = call.git.ref(name)
        raise Refusal(422, "Reference already exists" if known else "Reference cannot be created")
    follow(call.db, call.repository, call.git, user_id=call.my_id)
    return _shown_ref(call, name, 201)


def edit_ref(call: Call) -> Reply:
    name, body = _changeable(call), call.body.of("Reference")
    sha, force = body.required("sha"), body.flag("force")
    old = call.git.ref(name)
    if old is None:
        raise Refusal(422, "Reference does not exist")
    if not is_sha(sha) or call.git.resolve(sha, "object") is None:
        raise Refusal(422, "Object does not exist")
    if not force and not call.git.is_ancestor(old, sha):
        raise Refusal(422, "Update is not a fast forward")
    if not call.git.update_ref(name, new=sha, old=old):
        raise Refusal(422, "Update is not a fast forward")
    follow(call.db, call.repository, call.git, user_id=call.my_id)
    return _shown_ref(call, name)


def delete_ref(call: Call) -> Reply:
    name = _changeable(call)
    old = call.git.ref(name)
    if old is None or name == f"refs/heads/{call.repository['default_branch']}":
        raise Refusal(422, "Cannot delete the default branch" if old else "Reference does not exist")
    if not call.git.delete_ref(name, old):
        raise Refusal(422, "Reference does not exist")
    follow(call.db, call.repository, call.git, user_id=call.my_id)
    return Reply(204)


def _changeable(call: Call) -> str:
    name = _name(call)
    if name.startswith("refs/pull/"):
        raise Refusal(422, "Reference is read-only")
    return name


def branches(call: Call) -> Reply:
    found = call.git.refs("refs/heads/")
    chosen = found[call.page.offset : call.page.offset + call.page.size]
    shown = [
        shapes.short_branch(call.view, call.repository, name.removeprefix("refs/heads/"), sha) for name, sha in chosen
    ]
    return call.listing(shown, len(found))


def branch(call: Call) -> Reply:
    name = call.params["branch"]
    sha = call.git.branch(name)
    if sha is None:
        raise Refusal(404, "Branch not found")
    return Reply(data=shapes.branch(call.view, call.repository, name, _commit(call, sha)))


def _commit(call: Call, sha: str) -> Commit:
    return call.git.log(sha, limit=1)[0]


def commits(call: Call) -> Reply:
    path = call.query.get("path", "")
    start = call.git.commit_of(call.query.get("sha") or call.repository["default_branch"])
    if start is None or "\0" in path:
        raise not_found()
    total = call.git.count(start) if not path else len(call.git.log(start, limit=10000, path=path))
    rows = call.git.log(start, limit=call.page.size, skip=call.page.offset, path=path)
    return call.listing([shapes.commit(call.view, call.repository, row) for row in rows], total)


def commit(call: Call) -> Reply:
    row = _commit(call, call.commit(call.params["ref"]))
    files = compare(call.git, row.parents[0], row.sha).files if row.parents else ()
    added, gone = sum(file.additions for file in files), sum(file.deletions for file in files)
    shown = {
        **shapes.commit(call.view, call.repository, row),
        "stats": {"total": added + gone, "additions": added, "deletions": gone},
        "files": [shapes.changed_file(call.view, call.repository, file, row.sha) for file in files],
    }
    return Reply(data=shown)


def comparison(call: Call) -> Reply:
    """``base...head``, by branch, tag or sha."""
    left, dots, right = call.params["basehead"].partition("...")
    base, head = call.git.commit_of(left), call.git.commit_of(right)
    if not dots or base is None or head is None:
        raise not_found()
    found, view, home = compare(call.git, base, head), call.view, call.repository
    rows = call.git.log(f"{base}..{head}", limit=250)[::-1]
    url = f"{api_url(view, home)}/compare/{call.params['basehead']}"
    page = view.html(f"{home['full_name']}/compare/{call.params['basehead']}")
    shown = {
        "url": url,
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": shapes.commit(view, home, _commit(call, base)),
        "merge_base_commit": shapes.commit(view, home, _commit(call, found.start)),
        "status": found.status,
        "ahead_by": found.ahead,
        "behind_by": found.behind,
        "total_commits": found.ahead,
        "commits": [shapes.commit(view, home, row) for row in rows],
        "files": [shapes.changed_file(view, home, file, head) for file in found.files],
    }
    return Reply(data=shown)


def contents(call: Call) -> Reply:
    path, at = call.params.get("path", "").strip("/"), call.query.get("ref") or call.repository["default_branch"]
    sha = call.git.commit_of(at)
    if sha is None or "\0" in path or path.startswith(":"):
        raise Refusal(404, f"No commit found for the ref {at}" if sha is None else "Not Found")
    view, home = call.view, call.repository
    found = call.git.entries(sha, path)
    if not path or (found and found[0][1] == "tree"):
        inside = call.git.entries(sha, f"{path}/") if path else found
        return Reply(data=[shapes.entry(view, home, row, at) for row in inside])
    if not found or found[0][1] != "blob":
        raise not_found()
    content = call.git.read(found[0][2])
    if ".raw" in call.accept:
        return Reply(headers={"Content-Type": "application/vnd.github.raw; charset=utf-8"}, raw=content)
    return Reply(data=shapes.file(view, home, found[0], content, at))


TABLE = (
    Endpoint("GET", f"{HOME}/git/ref/{{ref:path}}", ref),
    Endpoint("GET", f"{HOME}/git/matching-refs/{{ref:path}}", refs),
    Endpoint("GET", f"{HOME}/git/refs", refs),
    Endpoint("POST", f"{HOME}/git/refs", create_ref, Level.WRITE),
    Endpoint("PATCH", REF, edit_ref, Level.WRITE),
    Endpoint("DELETE", REF, delete_ref, Level.WRITE),
    Endpoint("GET", f"{HOME}/branches", branches),
    Endpoint("GET", f"{HOME}/branches/{{branch:path}}", branch),
    Endpoint("GET", f"{HOME}/commits", commits),
    Endpoint("GET", COMMIT, commit),
    Endpoint("GET", f"{HOME}/compare/{{basehead:path}}", comparison),
    Endpoint("GET", f"{HOME}/contents", contents),
    Endpoint("GET", f"{HOME}/contents/{{path:path}}", contents),
)
