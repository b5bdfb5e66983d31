"""Lists, labels and comments, as the GitHub adapter needs them."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
from github import GithubException
from github.Repository import Repository

from tests.integration.forge.conftest import NAME, Village


def test_lists_come_in_pages(village: Village, writer: Repository) -> None:
    for number in range(7):
        writer.create_issue(f"Issue {number}", labels=["odd"] if number % 2 else [])
    url = f"{village.server.api}/repos/{NAME}/issues"
    first = requests.get(url, params={"per_page": 3, "labels": "odd", "state": "all", "page": 1}, timeout=30)
    assert [issue["number"] for issue in first.json()] == [6, 4, 2]
    assert "Link" not in first.headers
    second = requests.get(url, params={"per_page": 3, "page": 2, "direction": "asc"}, timeout=30)
    assert [issue["number"] for issue in second.json()] == [4, 5, 6]
    assert {name: link["url"].split("page=")[-1][:1] for name, link in second.links.items()} == {
        "prev": "1",
        "next": "3",
        "last": "3",
        "first": "1",
    }
    assert [issue.number for issue in writer.get_issues(direction="asc")] == [1, 2, 3, 4, 5, 6, 7]
    assert writer.get_issues().totalCount == 7


def test_filters_of_the_issue_list(writer: Repository) -> None:
    one = writer.create_issue("One", labels=["a", "b"], assignee="triage")
    two = writer.create_issue("Two", labels=["a"])
    writer.create_issue("Three").edit(state="closed")
    assert [issue.number for issue in writer.get_issues(labels=["a", "b"])] == [one.number]
    assert [issue.number for issue in writer.get_issues(labels=["A"])] == [two.number, one.number]
    assert [issue.number for issue in writer.get_issues(assignee="triage")] == [one.number]
    assert [issue.number for issue in writer.get_issues(assignee="none")] == [two.number]
    assert [issue.title for issue in writer.get_issues(state="closed")] == ["Three"]
    assert list(writer.get_issues(since=datetime.now(UTC) + timedelta(hours=1))) == []
    assert len(list(writer.get_issues(since=datetime.now(UTC) - timedelta(hours=1), state="all"))) == 3


def test_an_unchanged_list_is_304(village: Village, writer: Repository) -> None:
    writer.create_issue("One")
    url = f"{village.server.api}/repos/{NAME}/issues"
    tag = requests.get(url, timeout=30).headers["ETag"]
    assert requests.get(url, headers={"If-None-Match": tag}, timeout=30).status_code == 304
    writer.create_issue("Two")
    assert requests.get(url, headers={"If-None-Match": tag}, timeout=30).status_code == 200


@pytest.mark.parametrize("name", ["entropy:code", "a/b", "50% done", "größe", "a b#c?d"])
def test_labels_of_any_name(writer: Repository, name: str) -> None:
    issue = writer.create_issue("One")
    issue.add_to_labels(name)
    label = writer.get_label(name)
    assert label.name == requests.get(label.url, timeout=30).json()["name"] == name
    assert [label.name for label in issue.get_labels()] == [name]
    issue.remove_from_labels(name)
    assert list(issue.get_labels()) == []
    with pytest.raises(GithubException) as gone:
        issue.remove_from_labels(name)
    assert gone.value.status == 404


def test_both_ways_to_send_labels(village: Village, writer: Repository) -> None:
    writer.create_issue("One")
    url = f"{village.server.api}/repos/{NAME}/issues/1/labels"
    headers = {"Authorization": f"Bearer {village.tokens['triage']}"}
    bare = requests.post(url, json=["a"], headers=headers, timeout=30)
    wrapped = requests.post(url, json={"labels": ["b"]}, headers=headers, timeout=30)
    replaced = requests.put(url, json={"labels": ["c", "A"]}, headers=headers, timeout=30)
    assert [[label["name"] for label in answer.json()] for answer in (bare, wrapped, replaced)] == [
        ["a"],
        ["a", "b"],
        ["a", "c"],
    ]
    assert requests.delete(url, headers=headers, timeout=30).status_code == 204
    assert requests.get(url, timeout=30).json() == []


def test_a_label_is_made_once(writer: Repository) -> None:
    writer.create_label("entropy:code", "0e8a16", "For the coder")
    with pytest.raises(GithubException) as twice:
        writer.create_label("ENTROPY:CODE", "0e8a16")
    assert (twice.value.status, twice.value.data["errors"][0]["code"]) == (422, "already_exists")
    assert [(label.name, label.color) for label in writer.get_labels()] == [("entropy:code", "0e8a16")]


def test_events_say_who_labelled(village: Village, writer: Repository) -> None:
    writer.create_issue("One")
    with village.client("triage") as client:
        client.get_repo(NAME).get_issue(1).add_to_labels("entropy:code")
    events = [(event.event, event.actor.login) for event in writer.get_issue(1).get_timeline()]
    assert events == [("labeled", "triage")]


def test_comments_of_an_issue_and_of_a_pull_request_are_one_thing(writer: Repository) -> None:
    issue = writer.create_issue("One")
    comment = issue.create_comment("First")
    comment.edit("<!-- entropy:report --> Second")
    assert [found.body for found in issue.get_comments()] == ["<!-- entropy:report --> Second"]
    assert issue.get_comment(comment.id).user.login == "write"
    comment.delete()
    assert writer.get_issue(1).comments == 0


def test_the_search_finds_by_label_and_kind(village: Village, writer: Repository) -> None:
    writer.create_issue("Needle in here", labels=["entropy:code"])
    writer.create_issue("Other")
    with village.client("read") as client:
        found = client.search_issues(f'needle repo:{NAME} is:issue is:open label:"entropy:code"')
        assert [issue.number for issue in found] == [1]
        assert client.search_issues(f"repo:{NAME} is:pr").totalCount == 0


def test_who_am_i(village: Village) -> None:
    with village.client("write") as client:
        me = client.get_user()
        assert (me.login, me.type, client.get_user("acme").type) == ("write", "User", "Organization")
        assert client.get_rate_limit().rate.remaining > 0
