"""Who did what, and what they may do: permissions, timelines, edits, reactions, signatures."""

import pytest

from entropy.github.errors import Missing
from entropy.github.timeline import labelling
from tests.integration.github.world import REPOSITORY, World


@pytest.mark.parametrize(
    ("login", "role", "may_write"),
    [("owner", "admin", True), ("coder", "write", True), ("stranger", "read", False), ("nobody-at-all", "no", False)],
)
def test_the_forge_says_what_somebody_may_do(world: World, login: str, role: str, may_write: bool) -> None:
    with world.acting_as("coder") as github:
        permission = github.trust.permission(REPOSITORY, login)
    assert (permission.role, permission.may_write) == (role, may_write)


def test_the_ghost_of_a_deleted_account_may_nothing(world: World) -> None:
    before = len(world.judge.exchanges)
    with world.acting_as("coder") as github:
        assert not github.trust.permission(REPOSITORY, "ghost").may_write
    assert len(world.judge.exchanges) == before, "the forge is not asked: somebody may have taken the name"


def test_the_last_hand_on_a_label_is_known(world: World) -> None:
    item = world.issue("Broken", "bug")
    with world.acting_as("coder") as github:
        github.issues.relabel(item, add=["Entropy:Code"])
        told = github.timeline.of(item)
    first, last = labelling(told, "bug"), labelling(told, "entropy:code")
    assert first is not None
    assert last is not None
    assert (first.actor, first.bot, last.actor) == ("owner", False, "coder")
    assert first.at.tzinfo is not None
    assert labelling(told, "never set") is None


def test_a_label_that_is_gone_by_the_timeline_was_set_by_nobody(world: World) -> None:
    item = world.issue("Broken", "bug")
    with world.acting_as("coder") as github:
        github.issues.relabel(item, remove=["bug"])
        assert labelling(github.timeline.of(item), "bug") is None


def test_renames_are_told(world: World) -> None:
    item = world.issue()
    world.person("coder", "PATCH", f"/issues/{item.number}", {"title": "Another"})
    with world.acting_as("reviewer") as github:
        assert [(each.kind, each.actor) for each in github.timeline.of(item)] == [("renamed", "coder")]


def test_the_last_edit_of_a_text_is_told(world: World) -> None:
    item = world.issue()
    with world.acting_as("reviewer") as github:
        assert github.trust.edits(item) == ()
        world.person("coder", "PATCH", f"/issues/{item.number}", {"body": "Otherwise."})
        (edit,) = github.trust.edits(item)
    assert (edit.editor, edit.at.tzinfo is not None) == ("coder", True)


def test_every_hand_in_a_text_is_told_and_not_who_wrote_it_first(world: World) -> None:
    item = world.issue()
    world.person("reviewer", "PATCH", f"/issues/{item.number}", {"body": "Otherwise."})
    for number in range(101):  # more than a page
        world.person("coder", "PATCH", f"/issues/{item.number}", {"body": f"{number}"})
    with world.acting_as("reviewer") as github:
        assert {edit.editor for edit in github.trust.edits(item)} == {"coder", "reviewer"}


def test_who_wrote_a_text_and_changed_it_is_told_as_well(world: World) -> None:
    item = world.issue(author="reviewer")
    for login in ("reviewer", "coder"):
        world.person(login, "PATCH", f"/issues/{item.number}", {"body": f"Otherwise, says {login}."})
    with world.acting_as("coder") as github:
        assert {edit.editor for edit in github.trust.edits(item)} == {"coder", "reviewer"}


def test_the_last_edit_of_a_pull_request_is_told(world: World) -> None:
    item, _ = world.pull("edited", **{"edited.txt": "x\n"})
    with world.acting_as("reviewer") as github:
        assert github.trust.edits(item) == ()
        world.person("owner", "PATCH", f"/pulls/{item.number}", {"body": "Otherwise."})
        (edit,) = github.trust.edits(item)
    assert edit.editor == "owner"


def test_reactions_are_seen_with_their_authors_and_given_once(world: World) -> None:
    item = world.issue()
    comment = world.person("owner", "POST", f"/issues/{item.number}/comments", {"body": "/entropy code"})["id"]
    with world.acting_as("coder") as github:
        assert github.reactions.of(item, comment) == ()
        github.reactions.add(item, comment, "eyes")
        github.reactions.add(item, comment, "eyes")
        github.reactions.add(item, comment, "rocket")
        assert github.reactions.of(item, comment) == (("coder", "eyes"), ("coder", "rocket"))
        github.issues.remove_comment(item, comment)
        with pytest.raises(Missing):
            github.reactions.of(item, comment)


def test_a_commit_names_its_makers(world: World) -> None:
    head = world.change("signed", **{"signed.txt": "x\n"})
    with world.acting_as("reviewer") as github:
        signature = github.trust.signature(REPOSITORY, head)
    assert (signature.author_email, signature.committer_email) == ("coder@example.org", "coder@example.org")
    assert (signature.author, signature.committer) == (None, None)


def test_looking_again_costs_nothing_while_nothing_changes(world: World) -> None:
    item = world.issue()
    with world.acting_as("coder") as github:
        etag = github.issues.changed(item, since=None)
        assert etag
        assert github.issues.changed(item, since=etag) is None
        world.person("owner", "POST", f"/issues/{item.number}/comments", {"body": "Hm."})
        assert github.issues.changed(item, since=etag) not in (None, etag)
