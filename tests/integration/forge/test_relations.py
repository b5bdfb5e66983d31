"""Sub-issues and dependencies: kept in order, without circles, and told."""

import pytest

from tests.contract.contract import webhooks
from tests.integration.forge.judged import HOME, Judged
from tests.integration.forge.listener import SECRET, listening


@pytest.fixture
def ids(judged: Judged) -> list[int]:
    """Of the issues 1 to 4."""
    return [judged.ask("read", "POST", f"{HOME}/issues", {"title": f"Issue {at}"})["id"] for at in range(1, 5)]


def children(judged: Judged, number: int = 1) -> list[int]:
    return [row["number"] for row in judged.ask("read", "GET", f"{HOME}/issues/{number}/sub_issues")]


def test_sub_issues_are_added_ordered_and_removed(judged: Judged, ids: list[int]) -> None:
    subs = f"{HOME}/issues/1/sub_issues"
    for number in ids[1:]:
        judged.ask("triage", "POST", subs, {"sub_issue_id": number}, status=201)
    assert children(judged) == [2, 3, 4]
    judged.ask("triage", "PATCH", f"{subs}/priority", {"sub_issue_id": ids[3], "before_id": ids[1]})
    assert children(judged) == [4, 2, 3]
    judged.ask("triage", "PATCH", f"{subs}/priority", {"sub_issue_id": ids[3], "after_id": ids[1]})
    assert children(judged) == [2, 4, 3]
    assert judged.ask("read", "GET", f"{HOME}/issues/3/parent")["number"] == 1
    judged.ask("triage", "DELETE", f"{HOME}/issues/1/sub_issue", {"sub_issue_id": ids[2]})
    assert children(judged) == [2, 4]
    judged.ask("read", "GET", f"{HOME}/issues/3/parent", status=404)
    judged.ask("read", "POST", subs, {"sub_issue_id": ids[2]}, status=403)


def test_nobody_is_an_ancestor_of_itself_or_has_two_parents(judged: Judged, ids: list[int]) -> None:
    judged.ask("triage", "POST", f"{HOME}/issues/1/sub_issues", {"sub_issue_id": ids[1]})
    judged.ask("triage", "POST", f"{HOME}/issues/2/sub_issues", {"sub_issue_id": ids[2]})
    judged.ask("triage", "POST", f"{HOME}/issues/3/sub_issues", {"sub_issue_id": ids[0]}, status=422)
    judged.ask("triage", "POST", f"{HOME}/issues/4/sub_issues", {"sub_issue_id": ids[2]}, status=422)
    judged.ask("triage", "POST", f"{HOME}/issues/4/sub_issues", {"sub_issue_id": ids[2], "replace_parent": True})
    assert (children(judged, 2), children(judged, 4)) == ([], [3])
    judged.ask("triage", "POST", f"{HOME}/issues/4/sub_issues", {"sub_issue_id": 99999}, status=404)


def test_an_issue_waits_for_others(judged: Judged, ids: list[int]) -> None:
    path = f"{HOME}/issues/1/dependencies"
    judged.ask("triage", "POST", f"{path}/blocked_by", {"issue_id": ids[1]}, status=201)
    judged.ask("triage", "POST", f"{path}/blocked_by", {"issue_id": ids[1]}, status=422)
    judged.ask("triage", "POST", f"{path}/blocked_by", {"issue_id": ids[0]}, status=422)
    assert [row["number"] for row in judged.ask("read", "GET", f"{path}/blocked_by")] == [2]
    assert [row["number"] for row in judged.ask("read", "GET", f"{HOME}/issues/2/dependencies/blocking")] == [1]
    judged.ask("triage", "DELETE", f"{path}/blocked_by/{ids[1]}")
    assert judged.ask("read", "GET", f"{path}/blocked_by") == []


def test_relations_are_told(judged: Judged, ids: list[int]) -> None:
    with listening() as listener:
        config = {"url": listener.url, "content_type": "json", "secret": SECRET}
        judged.ask("admin", "POST", f"{HOME}/hooks", {"config": config, "events": ["sub_issues", "issue_dependencies"]})
        judged.ask("triage", "POST", f"{HOME}/issues/1/sub_issues", {"sub_issue_id": ids[1]})
        judged.ask("triage", "DELETE", f"{HOME}/issues/1/sub_issue", {"sub_issue_id": ids[1]})
        judged.ask("triage", "POST", f"{HOME}/issues/1/dependencies/blocked_by", {"issue_id": ids[1]})
        judged.ask("triage", "DELETE", f"{HOME}/issues/1/dependencies/blocked_by/{ids[1]}")
        words = ("added", "removed")
        names = [f"sub_issues.{kind}_{word}" for kind in ("sub_issue", "parent_issue") for word in words]
        names += [f"issue_dependencies.{kind}_{word}" for kind in ("blocked_by", "blocking") for word in words]
        told = listener.wait(*names)
    assert [error for each in told for error in webhooks().errors(each.event, each.payload)] == []
