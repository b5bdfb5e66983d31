"""The comparison: the same work as a plain Celery chain of five tasks whose messages carry the item.

It speaks to the forge through the same adapters, whose writes look before they act, and tries again what is transient.
What it lacks is the record of runs: no leases, no generations, no reaper, no discovery.
"""

import base64
import os
import tempfile
from typing import Any

from celery import Celery, chain

from entropy.agents.roles.merger import TESTS_CHECK
from entropy.errors import TransientError
from entropy.models import Verdict, WorkItem
from entropy.repository.config import parse_config
from entropy.repository.mirror import Mirror
from entropy.repository.patch import PatchRules
from entropy.settings import settings
from entropy.wiring import toolbox

Context = dict[str, Any]

LATE = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    # Longer than the longest task, or Redis hands it to a second worker while the first is at it.
    "broker_transport_options": {
        "visibility_timeout": 60,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
    },
}

app = Celery("native", broker=settings().redis.url, backend=settings().redis.url)
app.conf.update(LATE if os.environ.get("CHAOS_NATIVE") == "late" else {})

AGAIN: dict[str, Any] = {"autoretry_for": (TransientError,), "retry_backoff": True, "max_retries": 5}


@app.task(**AGAIN)
def initialize(repository: str, number: int, moment: float) -> Context:
    mirror = _mirror("coder", repository)
    issue = toolbox().github("coder").issues.get(WorkItem(repository=repository, number=number))
    return {
        "repository": repository,
        "number": number,
        "when": moment,
        "labels": issue.labels,
        "title": issue.title,
        "base": mirror.commit_of("refs/heads/main"),
    }


@app.task(**AGAIN)
def claim(context: Context) -> Context:
    _say("coder", _item(context), "The coder is at work.")
    return context


@app.task(bind=True, **AGAIN)
def execute(self: Any, context: Context) -> Context:
    mirror = _mirror("coder", context["repository"])
    config = parse_config(mirror.file(context["base"], ".entropy.toml"))
    recipe = config.recipe_for(tuple(context["labels"]))
    if recipe is None:
        raise LookupError("There is no recipe for this issue.")
    with toolbox().sandboxes.open(f"native-{self.request.id}") as sandbox, tempfile.TemporaryFile() as tree:
        mirror.snapshot(context["base"], into=tree)
        sandbox.put(tree)
        sandbox.exec(recipe.command)
        sandbox.exec(config.test or ("true",))
        return context | {"patch": base64.b64encode(sandbox.collect()).decode()}


@app.task(**AGAIN)
def report(context: Context) -> Context:
    """Everything that coder, reviewer and merger write."""
    item, branch = _item(context), f"entropy/issue-{context['number']}"
    coder, reviewer, merger = (toolbox().github(role) for role in ("coder", "reviewer", "merger"))
    commit = _push(context, branch)
    number = coder.pulls.ensure(
        item.repository, branch=branch, base="main", title=context["title"], body=f"Closes #{item.number}"
    )
    pull = WorkItem(repository=item.repository, number=number)
    _say("coder", item, f"Proposed as #{number}.")
    reviewer.reviews.set_status(
        item.repository, commit=commit, context=TESTS_CHECK, state="success", description="The tests pass."
    )
    marker = f"entropy:review:{commit}"
    reviewer.reviews.ensure(pull, marker=marker, commit=commit, verdict=Verdict.APPROVED, body="Approved.")
    _say("reviewer", pull, "Approved.")
    merger.pulls.merge(pull, head=commit, title=context["title"], message="Approved.")
    return {name: value for name, value in context.items() if name != "patch"}


@app.task(**AGAIN)
def cleanup(context: Context) -> None:
    toolbox().github("coder").issues.relabel(_item(context), remove=["native"])


def _push(context: Context, branch: str) -> str:
    mirror = _mirror("coder", context["repository"])
    commit = mirror.commit_patch(
        context["base"],
        base64.b64decode(context["patch"]),
        message=context["title"],
        identity=toolbox().github("coder").identity(),
        when=context["when"],
        rules=PatchRules(paths=("**",), max_files=300),
    )
    tip = mirror.tip_of(branch)
    if tip != commit:
        mirror.push(commit, branch, expected=tip)
    return commit


def _say(role: str, item: WorkItem, text: str) -> None:
    toolbox().github(role).issues.ensure_comment(item, marker=f"entropy:status:{role}", body=text)


def _item(context: Context) -> WorkItem:
    return WorkItem(repository=context["repository"], number=context["number"])


def _mirror(role: str, repository: str) -> Mirror:
    mirror = toolbox().mirror(role, repository)
    mirror.fetch()
    return mirror


def send(items: list[tuple[str, int, float]]) -> None:
    """Queue one chain for each item."""
    for repository, number, moment in items:
        steps = initialize.si(repository, number, moment), claim.s(), execute.s(), report.s(), cleanup.s()
        chain(*steps).apply_async()
