"""What is said of a pull request, and our answers to it, against the embedded forge."""

import pytest

from entropy.errors import ForgeConflict
from entropy.github.checks import CheckReport
from entropy.github.errors import Missing
from entropy.items import PullRequest, ReviewThread
from entropy.models import Finding, WorkItem
from tests.integration.github.world import LINES, REPOSITORY, World

CHANGED = {"text.txt": LINES.replace("line 5\n", "line five\n")}


def threads(world: World, item: WorkItem) -> tuple[ReviewThread, ...]:
    with world.acting_as("coder") as github:
        return github.threads.of(item)


def pull(world: World, item: WorkItem) -> PullRequest:
    with world.acting_as("coder") as github:
        found = github.issues.get(item).pull_request
    assert found is not None
    return found


def remark(world: World, item: WorkItem, head: str, body: str = "Why?") -> None:
    comment = {"body": body, "commit_id": head, "path": "text.txt", "line": 5, "side": "RIGHT"}
    world.person("owner", "POST", f"/pulls/{item.number}/comments", comment)


def test_a_thread_is_answered_once_and_settled(world: World) -> None:
    item, head = world.pull("threads", **CHANGED)
    assert threads(world, item) == ()
    remark(world, item, head)
    for _ in range(2):
        (thread,) = threads(world, item)
        with world.acting_as("coder") as github:
            github.threads.answer(item, thread, marker="entropy:answer:r1", body="Therefore.")
            github.threads.resolve(item, thread)
    (thread,) = threads(world, item)
    assert (thread.path, thread.line, thread.resolved) == ("text.txt", 5, True)
    assert [comment.author for comment in thread.comments] == ["owner", "coder"]
    assert thread.comments[1].body.endswith("Therefore.")


def test_two_threads_are_told_apart(world: World) -> None:
    item, head = world.pull("two", **CHANGED)
    remark(world, item, head, "First.")
    remark(world, item, head, "Second.")
    first, second = threads(world, item)
    with world.acting_as("coder") as github:
        github.threads.resolve(item, second)
    assert [thread.resolved for thread in threads(world, item)] == [False, True]
    assert first.comments[0].body == "First."


def test_a_failed_check_tells_what_it_found(world: World) -> None:
    _, head = world.pull("checks", **CHANGED)
    found = {"path": "text.txt", "start_line": 5, "end_line": 5, "annotation_level": "failure", "message": "A word."}
    output = {"title": "1 word", "summary": "x" * 9000 + "\nthe end", "annotations": [found]}
    made = {"name": "words", "head_sha": head, "status": "completed", "conclusion": "failure", "output": output}
    world.person("coder", "POST", "/check-runs", made)
    world.person("coder", "POST", f"/statuses/{head}", {"state": "error", "context": "old", "description": "Broken."})
    world.person("coder", "POST", f"/statuses/{head}", {"state": "success", "context": "fine"})
    with world.acting_as("coder") as github:
        status, run = github.checks.failed(REPOSITORY, head)
    assert (status.name, status.summary, status.run) == ("old", "Broken.", None)
    assert (run.name, run.summary, run.log) == ("words", "1 word", "the end")
    assert run.findings == (Finding(path="text.txt", line=5, message="A word."),)
    with world.acting_as("coder") as github:
        assert run.run is not None
        github.checks.rerun(REPOSITORY, run.run)


def test_a_check_of_ours_is_made_once_per_report_with_a_remark_at_each_finding(world: World) -> None:
    # Another file: the same change of another test in the same second would be the same commit.
    _, head = world.pull("report", **CHANGED, **{"report.txt": "x\n"})
    finding = Finding(path="text.txt", line=5, message="Not a number.")
    runs = []
    for name in ("r1", "r1", "r2"):
        report = CheckReport(id=name, conclusion="failure", title="Red.", summary="All of it.", findings=(finding,))
        with world.acting_as("coder") as github:
            github.checks.ensure_run(REPOSITORY, commit=head, name="entropy/tests", report=report)
            (latest,) = github.checks.failed(REPOSITORY, head)
        assert (latest.name, latest.findings) == ("entropy/tests", (finding,))
        runs.append(latest.run)
    assert runs[0] == runs[1] != runs[2]


def test_a_draft_becomes_ready_and_ready_again_is_nothing(world: World) -> None:
    world.change("draft", **CHANGED)
    with world.acting_as("coder") as github:
        number = github.pulls.ensure(REPOSITORY, branch="draft", base="main", title="[x] t", body="b", draft=True)
        item = WorkItem(repository=REPOSITORY, number=number)
        assert pull(world, item).draft
        for _ in range(2):
            github.pulls.mark_ready(item, pull(world, item).node)
            github.pulls.retitle(item, "t")
        assert not pull(world, item).draft
        assert github.issues.get(item).title == "t"


def test_only_the_head_that_was_looked_at_goes_into_the_queue(world: World) -> None:
    item, head = world.pull("queue", **CHANGED)
    with world.acting_as("coder") as github, pytest.raises(ForgeConflict):
        github.pulls.enqueue(item, node=pull(world, item).node, head="0" * 40)
    assert pull(world, item).head_commit == head


def test_threads_of_what_is_no_pull_request_are_missed_in_one_sentence(world: World) -> None:
    with pytest.raises(Missing, match=r"^Could not read the review threads of acme/widgets#\d+: it is gone, or "):
        threads(world, world.issue())


def test_the_forge_commits_only_to_the_head_that_was_looked_at(world: World) -> None:
    _, head = world.pull("verified", **CHANGED)
    with world.acting_as("coder") as github:
        github.commits.begin(REPOSITORY, "verified", at=head)  # it is there already
        files = {"text.txt": None, "new.txt": b"new\n"}
        made = github.commits.create(REPOSITORY, "verified", parent=head, message="Title\n\nText.", files=files)
        assert made != head
        for branch in ("verified", "gone"):
            with pytest.raises(ForgeConflict):
                github.commits.create(REPOSITORY, branch, parent=head, message="Title", files=files)
    with world.acting_as("owner") as github:
        (pull_now,) = github.pulls.find(REPOSITORY, branch="verified")
    assert pull_now.head_commit == made
