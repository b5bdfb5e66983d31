"""Repositories that move while Entropy works: nothing is lost, and each refusal of the forge is one sentence."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from entropy.errors import ForgeRefused
from entropy.github import GitHub
from entropy.models import Secret, WorkItem
from entropy.settings import GitHubSettings
from tests.forge_server import ForgeServer, running_forge

NAME = "acme/widgets"


class Moving(NamedTuple):
    forge: ForgeServer
    github: GitHub
    item: WorkItem

    def journal(self) -> list[tuple[str, str, int]]:
        """The writes that the forge has noted, since the issues were opened."""
        with self.forge.store.read() as db:
            rows = db.execute("SELECT method, path, status FROM journal ORDER BY id").fetchall()
        return [(row["method"], row["path"].removeprefix("/api/v3"), row["status"]) for row in rows[2:]]


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Moving]:
    """Two issues, one with a label, in a repository."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "text.txt").write_text("once\n")
    with running_forge(tmp_path) as forge:
        forge.store.import_repository(source, NAME)
        token = forge.store.enrol("coder", name=None, full_name=NAME, permission="admin")
        with GitHub(GitHubSettings(api=forge.api), Secret(token)) as github:
            for labels in ([], ["entropy:code"]):
                body = {"title": "t", "labels": labels}
                made = github._connection.write("POST", f"/repos/{NAME}/issues", body, target=NAME, action="open")
            yield Moving(forge, github, WorkItem(repository=NAME, number=made["number"]))


def test_a_renamed_repository_is_listed_with_its_filter(moving: Moving) -> None:
    moving.forge.store.rename(NAME, "gadgets")
    assert [found.item.number for found in moving.github.discovery.labelled(NAME, ["entropy:code"])] == [2]


def test_on_a_renamed_repository_a_comment_is_written_once(moving: Moving) -> None:
    moving.forge.store.rename(NAME, "gadgets")
    moving.github.issues.relabel(moving.item, add=["x"])  # a write is what meets the redirect
    moving.github.issues.ensure_comment(moving.item, marker="m", body="Hello.")
    assert len(moving.github.issues.get(moving.item).comments) == 1
    assert [line for line in moving.journal() if line[2] < 300] == [
        ("POST", "/repos/acme/gadgets/issues/2/labels", 200),
        ("POST", "/repos/acme/gadgets/issues/2/comments", 201),
    ]


def test_a_repository_that_is_renamed_twice_is_found_again(moving: Moving) -> None:
    for name in ("gadgets", "sprockets"):
        moving.forge.store.rename(moving.github.repository(NAME).name, name)
    assert moving.github.repository(NAME).name == "acme/sprockets"


def test_another_repository_of_the_old_name_is_not_taken_for_the_one_that_moved(moving: Moving, tmp_path: Path) -> None:
    moving.forge.store.rename(NAME, "gadgets")
    moving.github.repository(NAME)
    moving.forge.store.import_repository(tmp_path / "source", NAME)
    moving.github.issues.ensure_comment(moving.item, marker="m", body="Hello.")
    assert moving.journal()[-1] == ("POST", "/repos/acme/gadgets/issues/2/comments", 201)


def test_a_transferred_repository_is_worked_on_where_it_is(moving: Moving) -> None:
    moving.forge.store.transfer(NAME, "globex")
    moving.github.issues.ensure_comment(moving.item, marker="m", body="Hello.")
    assert moving.journal()[-1] == ("POST", "/repos/globex/widgets/issues/2/comments", 201)


def test_an_archived_repository_is_read_and_its_writes_are_refused_in_one_sentence(moving: Moving) -> None:
    moving.forge.store.archive(NAME)
    assert moving.github.issues.get(moving.item).open
    told = r"^Could not comment on acme/widgets#2: .*archived: unarchive it, or take it out of the work\.$"
    with pytest.raises(ForgeRefused, match=told):
        moving.github.issues.ensure_comment(moving.item, marker="m", body="Hello.")


def test_a_deleted_repository_is_told_in_one_sentence(moving: Moving) -> None:
    moving.github.repository(NAME)
    moving.forge.store.delete(NAME)
    told = (
        r"^Could not read acme/widgets#2: .*; check the name, and that the token of this role may see the repository\.$"
    )
    with pytest.raises(ForgeRefused, match=told):
        moving.github.issues.get(moving.item)


def test_a_repository_that_is_deleted_after_it_was_renamed_is_told_in_one_sentence(moving: Moving) -> None:
    moving.forge.store.rename(NAME, "gadgets")
    moving.forge.store.delete("acme/gadgets")
    with pytest.raises(ForgeRefused, match=r"^Could not read acme/widgets#2: .*\.$"):
        moving.github.issues.get(moving.item)
