"""When a pull request can be merged, and what is left behind when it cannot."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from github import GithubException
from github.Repository import Repository

from entropy.forge.tracking import follow_all
from tests.integration.forge.conftest import NAME, Village


def test_a_conflict_is_not_mergeable(writer: Repository, change: Callable[..., str]) -> None:
    change("one")
    change("two", content="def thrust():\n    return 3\n")
    first = writer.create_pull(base="main", head="one", title="One", body="")
    second = writer.create_pull(base="main", head="two", title="Two", body="")
    assert second.mergeable is True
    first.merge(merge_method="squash")
    second = writer.get_pull(second.number)
    assert (second.mergeable, second.mergeable_state) == (False, "dirty")
    tip = writer.get_branch("main").commit.sha
    with pytest.raises(GithubException) as refusal:
        second.merge()
    assert refusal.value.status == 405
    assert writer.get_branch("main").commit.sha == tip


def test_squash_and_merge_differ_in_parents(writer: Repository, change: Callable[..., str]) -> None:
    change("one")
    change("two", path="new.txt", content="new\n")
    one = writer.create_pull(base="main", head="one", title="One", body="").merge(merge_method="squash")
    two = writer.create_pull(base="main", head="two", title="Two", body="").merge(merge_method="merge")
    assert [len(writer.get_commit(merged.sha).parents) for merged in (one, two)] == [1, 2]
    assert writer.get_commit(one.sha).commit.message.startswith("One (#1)")


def test_of_eight_merges_one_lands(village: Village, writer: Repository, change: Callable[..., str]) -> None:
    head = change("topic")
    number = writer.create_pull(base="main", head="topic", title="T", body="").number
    url = f"{village.server.api}/repos/{NAME}/pulls/{number}/merge"
    headers = {"Authorization": f"Bearer {village.tokens['write']}"}

    def race(_: int) -> int:
        return requests.put(url, json={"sha": head}, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(race, range(8))) == [200] + [405] * 7
    assert len(list(writer.get_commits())) == 3


def test_a_merge_that_was_cut_short_is_finished_at_the_next_start(
    village: Village, writer: Repository, change: Callable[..., str]
) -> None:
    change("topic")
    writer.create_issue("Bug")
    pull = writer.create_pull(base="main", head="topic", title="T", body="Fixes #1")
    store = village.server.store
    with store.write() as db:
        db.execute("UPDATE pulls SET pending = head_sha, pending_by = (SELECT id FROM users WHERE login = 'write')")
    follow_all(store)
    assert not writer.get_pull(pull.number).merged, "the base has not moved, so nothing was merged"
    with store.write() as db:
        db.execute("UPDATE pulls SET pending = head_sha, pending_by = (SELECT id FROM users WHERE login = 'write')")
        repository = db.execute("SELECT * FROM repositories").fetchone()
        git = store.git(repository)
        old, new = git.branch("main"), git.branch("topic")
        assert old
        assert new
        assert git.update_ref("refs/heads/main", new=new, old=old)
    follow_all(store)
    assert writer.get_pull(pull.number).merged
    assert writer.get_issue(1).state == "closed"


def test_only_a_merge_into_the_default_branch_closes_issues(writer: Repository, change: Callable[..., str]) -> None:
    change("one")
    writer.create_git_ref("refs/heads/next", writer.get_branch("main").commit.sha)
    issue = writer.create_issue("Bug")
    writer.create_pull(base="next", head="one", title="One", body=f"Fixes #{issue.number}").merge()
    assert writer.get_issue(issue.number).state == "open"


def test_a_draft_is_not_merged(writer: Repository, change: Callable[..., str]) -> None:
    change("topic")
    pull = writer.create_pull(base="main", head="topic", title="T", body="", draft=True)
    assert pull.draft
    with pytest.raises(GithubException) as refusal:
        pull.merge()
    assert refusal.value.status == 405


def test_a_branch_is_brought_up_to_its_base(writer: Repository, change: Callable[..., str]) -> None:
    change("one")
    change("two", path="new.txt", content="new\n")
    pull = writer.create_pull(base="main", head="two", title="Two", body="")
    writer.create_pull(base="main", head="one", title="One", body="").merge()
    assert pull.update_branch()
    updated = writer.get_pull(pull.number)
    assert updated.head.sha != pull.head.sha
    assert updated.commits == 2
    assert [file.filename for file in updated.get_files()] == ["new.txt"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"title": "T", "head": "gone", "base": "main"}, ("head", "invalid")),
        ({"title": "T", "head": "stranger:topic", "base": "main"}, ("head", "invalid")),
        ({"title": "T", "head": "topic", "base": "gone"}, ("base", "invalid")),
        ({"head": "topic", "base": "main"}, ("title", "missing_field")),
        ({"title": "T", "head": "main", "base": "main"}, (None, "custom")),
    ],
)
def test_a_pull_request_needs_two_branches_and_a_difference(
    village: Village, change: Callable[..., str], body: dict[str, str], told: tuple[str | None, str]
) -> None:
    change("topic")
    url, headers = f"{village.server.api}/repos/{NAME}/pulls", {"Authorization": f"Bearer {village.tokens['write']}"}
    answer = requests.post(url, json=body, headers=headers, timeout=30)
    assert answer.status_code == 422
    assert (answer.json()["errors"][0].get("field"), answer.json()["errors"][0]["code"]) == told
