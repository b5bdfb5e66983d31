"""The whole adapter against the forge: each exchange keeps GitHub's contract, and a broken one would be noticed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from entropy.errors import ForgeRefused
from entropy.models import Finding, Verdict
from tests.contract.contract import Exchange, github
from tests.contract.deviations import DEVIATIONS
from tests.contract.validator import outdated, unexcused
from tests.integration.github.world import REPOSITORY, World
from tests.jobs import failed_job


@pytest.fixture(scope="module")
def story(world: World) -> World:
    """From an issue to a merge, with everything that the adapter can do on the way."""
    issue = world.issue("Broken", "entropy:code")
    with world.acting_as("coder") as coder:
        coder.identity()
        coder.repository(REPOSITORY)
        coder.discovery.labelled(REPOSITORY, ["entropy:code", "entropy:review"])
        coder.issues.get(issue)
        for body in ("Started.", "Done."):
            known = coder.issues.ensure_comment(issue, marker="report", body=body)
        world.person("coder", "POST", f"/issues/{issue.number}/comments", {"body": "<!-- report -->\nTwice."})
        coder.issues.ensure_comment(issue, marker="report", body="Folded.")
        world.person("coder", "DELETE", f"/issues/comments/{known}")
        coder.issues.ensure_comment(issue, marker="report", body="Anew.", known=known)
        item, head = world.pull("story", **{"story.txt": "once\nupon\n"})
        coder.issues.relabel(issue, remove=["entropy:code"])
        coder.issues.relabel(item, add=["entropy:review"])
    with world.acting_as("stranger") as stranger, pytest.raises(ForgeRefused):
        stranger.issues.relabel(item, add=["entropy:merge"])
    with world.acting_as("reviewer") as reviewer:
        reviewer.issues.get(item)
        for verdict in (Verdict.CHANGES_REQUESTED, Verdict.APPROVED):
            findings = (Finding(path="story.txt", line=2, message="A time?"),)
            reviewer.reviews.ensure(
                item, marker=verdict, commit=head, verdict=verdict, body="I looked.", findings=findings
            )
        reviewer.reviews.set_status(
            REPOSITORY, commit=head, context="entropy/tests", state="success", description="Green."
        )
        world.person("owner", "POST", "/check-runs", {"name": "lint", "head_sha": head, "status": "queued"})
        reviewer.issues.get(item)
        job = failed_job(world.store, REPOSITORY, head, log=b"##[error]Red.\n")
        reviewer.checks.failed(REPOSITORY, head, logs=True)
        reviewer.checks.rerun(REPOSITORY, job)
    with world.acting_as("owner") as merger:
        merger.pulls.merge(item, head=head, title="Merge", message="Approved.")
        merger.pulls.merge(item, head=head, title="Merge", message="Approved.")
    return world


def test_every_operation_of_the_adapter_is_judged_and_keeps_the_contract(story: World) -> None:
    assert story.judge.operations() >= github().ours()
    assert unexcused(story.judge.violations()) == []


def test_every_listed_deviation_still_occurs(story: World) -> None:
    assert outdated(story.judge.violations()) == []


def test_an_unknown_operation_is_noticed(story: World) -> None:
    stray = replace(story.judge.exchanges[0], path="/repos/acme/widgets/issue/1")
    assert unexcused(github().violations(stray)) != []


def test_a_field_that_goes_missing_is_noticed(story: World) -> None:
    unnoticed = [
        f"{operation} without {name}"
        for operation, exchange, schema in answers(story)
        for name in schema.get("required", ())
        if not noticed(exchange, lambda row, name=name: row.pop(name))
    ]
    assert unnoticed == []


def test_a_field_of_another_type_is_noticed(story: World) -> None:
    unnoticed = [
        f"{operation} with another {name}"
        for operation, exchange, schema in answers(story)
        for name in first(json.loads(exchange.received))
        if set(schema.get("properties", {}).get(name, {})) & {"type", "$ref", "enum"}
        if not noticed(exchange, lambda row, name=name: row.update({name: [[1]]}))
    ]
    assert unnoticed == []


def test_a_value_outside_an_enumeration_is_noticed(story: World) -> None:
    enumerated = [
        (exchange, name)
        for _, exchange, schema in answers(story)
        for name, property in schema.get("properties", {}).items()
        if "enum" in property and name in first(json.loads(exchange.received))
    ]
    assert len(enumerated) >= 3
    assert all(
        noticed(exchange, lambda row, name=name: row.update({name: "no such value"})) for exchange, name in enumerated
    )


def answers(story: World) -> Iterator[tuple[str, Exchange, dict[str, Any]]]:
    """Of each operation one answer with something in it, and the schema of that."""
    seen = set()
    for exchange in story.judge.exchanges:
        operation = github().operation(exchange)
        if operation is None or operation.id in seen or exchange.status >= 300 or not exchange.received:
            continue
        if first(json.loads(exchange.received)):
            seen.add(operation.id)
            media = operation.body["responses"][str(exchange.status)]["content"]["application/json"]
            yield operation.id, exchange, github().element(media["schema"])


def first(body: Any) -> dict[str, Any]:
    """The object that an answer consists of, or the first of its list."""
    found: dict[str, Any] = (body[0] if body else {}) if isinstance(body, list) else body
    return found


def noticed(exchange: Exchange, mutate: Any) -> bool:
    body = json.loads(exchange.received)
    mutate(first(body))
    return unexcused(github().violations(replace(exchange, received=json.dumps(body).encode())), DEVIATIONS) != []
