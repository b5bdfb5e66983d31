"""Protected branches, and the rules that give a branch its merge queue."""

from typing import Any

from entropy.forge.bodies import Body
from entropy.forge.call import Call, Endpoint, Reply
from entropy.forge.permissions import Level
from entropy.forge.present.repositories import api_url
from entropy.forge.records import protections, queue
from entropy.forge.refusals import Refusal, invalid
from entropy.forge.routes.repositories import HOME

PROTECTION = f"{HOME}/branches/{{branch:path}}/protection"
MOST = 6
"""Approving reviews that can be required."""


def _branch(call: Call) -> str:
    name = call.params["branch"]
    if call.git.branch(name) is None:
        raise Refusal(404, "Branch not found")
    return name


def get(call: Call) -> Reply:
    rules = protections.get(call.db, call.repository_id, _branch(call))
    if rules is None:
        raise Refusal(404, "Branch not protected")
    return Reply(data=_shown(call, rules))


def put(call: Call) -> Reply:
    body, branch = call.body.of("ProtectedBranch"), _branch(call)
    for name in ("required_status_checks", "required_pull_request_reviews", "enforce_admins", "restrictions"):
        if not body.has(name):
            raise invalid("ProtectedBranch", name, "missing_field")
    rules = {"checks": _checks(body), "reviews": _reviews(body), "admins": body.flag("enforce_admins")}
    protections.put(call.db, call.repository_id, branch, rules)
    return Reply(data=_shown(call, rules))


def _part(body: Body, name: str) -> Body | None:
    value = body.fields[name]
    return None if value is None else Body(value, "ProtectedBranch")


def _checks(body: Body) -> dict[str, Any] | None:
    part = _part(body, "required_status_checks")
    if part is None:
        return None
    named = [each.required("context") for each in part.parts("checks")]
    return {"strict": part.flag("strict"), "contexts": named or part.texts("contexts", limit=255)}


def _reviews(body: Body) -> dict[str, Any] | None:
    part = _part(body, "required_pull_request_reviews")
    if part is None:
        return None
    count = part.fields.get("required_approving_review_count", 1)
    if type(count) is not int or not 0 <= count <= MOST:
        raise invalid("ProtectedBranch", "required_approving_review_count")
    return {"count": count, "dismiss_stale": part.flag("dismiss_stale_reviews")}


def delete(call: Call) -> Reply:
    if not protections.delete(call.db, call.repository_id, _branch(call)):
        raise Refusal(404, "Branch not protected")
    return Reply(204)


def _shown(call: Call, rules: dict[str, Any]) -> dict[str, Any]:
    url = f"{api_url(call.view, call.repository)}/branches/{call.params['branch']}/protection"
    off = ("required_linear_history", "allow_force_pushes", "allow_deletions", "block_creations", "lock_branch")
    shape: dict[str, Any] = {
        "url": url,
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": rules["admins"]},
        **{name: {"enabled": False} for name in off},
    }
    if rules["checks"]:
        contexts, strict = rules["checks"]["contexts"], rules["checks"]["strict"]
        here = f"{url}/required_status_checks"
        listed = {"contexts": contexts, "contexts_url": f"{here}/contexts"}
        checks = [{"context": name, "app_id": None} for name in contexts]
        shape["required_status_checks"] = {"url": here, "strict": strict, **listed, "checks": checks}
    if rules["reviews"]:
        shape["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": rules["reviews"]["dismiss_stale"],
            "require_code_owner_reviews": False,
            "required_approving_review_count": rules["reviews"]["count"],
            "require_last_push_approval": False,
        }
    return shape


def create_ruleset(call: Call) -> Reply:
    """Of all rules the merge queue alone is understood here."""
    body = call.body.of("Ruleset")
    rules = [part for part in body.parts("rules") if part.fields.get("type") == "merge_queue"]
    conditions = body.fields.get("conditions") or {}
    included = (conditions.get("ref_name") or {}).get("include") or []
    if len(rules) != 1 or not all(isinstance(ref, str) for ref in included):
        raise invalid("Ruleset", "rules")
    method = str((rules[0].fields.get("parameters") or {}).get("merge_method", "MERGE")).lower()
    for ref in included:
        branch = call.repository["default_branch"] if ref == "~DEFAULT_BRANCH" else ref.removeprefix("refs/heads/")
        queue.create(call.db, call.repository_id, branch, "squash" if method == "squash" else "merge")
    told = {"id": call.repository_id, "name": body.required("name"), "source": call.repository["full_name"]}
    given = {"source_type": "Repository", "target": "branch", "enforcement": "active", "conditions": conditions}
    return Reply(201, {**told, **given, "rules": [rule.fields for rule in rules]})


def rules_of_branch(call: Call) -> Reply:
    method = queue.method(call.db, call.repository_id, call.params["branch"])
    if method is None:
        return Reply(data=[])
    parameters = {
        "check_response_timeout_minutes": 60,
        "grouping_strategy": "ALLGREEN",
        "max_entries_to_build": 1,
        "max_entries_to_merge": 1,
        "merge_method": method.upper(),
        "min_entries_to_merge": 1,
        "min_entries_to_merge_wait_minutes": 0,
    }
    source = {"ruleset_source_type": "Repository", "ruleset_source": call.repository["full_name"]}
    return Reply(data=[{"type": "merge_queue", **source, "ruleset_id": call.repository_id, "parameters": parameters}])


TABLE = (
    Endpoint("GET", PROTECTION, get, Level.ADMIN),
    Endpoint("PUT", PROTECTION, put, Level.ADMIN),
    Endpoint("DELETE", PROTECTION, delete, Level.ADMIN),
    Endpoint("POST", f"{HOME}/rulesets", create_ruleset, Level.ADMIN),
    Endpoint("GET", f"{HOME}/rules/branches/{{branch:path}}", rules_of_branch),
)
