"""Reactions to what is said of an agent's pull request: which label, when, and that nothing is done twice."""

from datetime import datetime
from pathlib import Path

import pytest

from entropy.models import WorkItem
from entropy.scheduling.reactions import react
from tests.integration.lifecycle.office import NAME, Office
from tests.jobs import failed_job

pytestmark = pytest.mark.redis

PROPOSED = "entropy/issue-1"
MERGE = {"entropy:merge"}
REWORK = {"entropy:code"}


def proposed(office: Office, folder: Path, *labels: str, branch: str = PROPOSED) -> int:
    """The number of a pull request of the coder."""
    office.push(branch, author="entropy-coder", committer="entropy-coder", folder=folder)
    coder = office.tools.github("coder")
    number = coder.pulls.ensure(NAME, branch=branch, base="main", title="Change", body="Closes #1")
    coder.issues.relabel(WorkItem(repository=NAME, number=number), add=labels)
    return number


def look(office: Office, number: int) -> set[str]:
    """As discovery does when an item changed; the labels afterwards."""
    for _ in range(2):
        item = office.tools.github("scheduler").issues.get(WorkItem(repository=NAME, number=number))
        react(item, office.tools)
    return office.labels(number)


def head(office: Office, number: int) -> str:
    return str(office.repository("ada").get_pull(number).head.sha)


def say(office: Office, number: int, *, by: str) -> None:
    pull = office.repository(by).get_pull(number)
    commit = office.repository(by).get_commit(pull.head.sha)
    pull.create_review_comment("Not so.", commit, "changes.txt", line=1)


def check(office: Office, number: int, conclusion: str, *, at: str, name: str = "lint") -> None:
    office.repository("wanda").create_check_run(
        name, head(office, number), status="completed", conclusion=conclusion, completed_at=moment(at)
    )


def moment(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-22T{time}+00:00")


def asked_again(office: Office) -> int:
    with office.forge.store.read() as db:
        found = db.execute("SELECT count(*) FROM journal WHERE path LIKE '%/rerequest' AND status < 300").fetchone()
    return int(found[0])


def approve(office: Office, number: int) -> None:
    commit = head(office, number)
    office.repository("wanda").get_pull(number).create_review(event="APPROVE")
    office.repository("wanda").get_commit(commit).create_status("success", context="entropy/tests")


@pytest.mark.parametrize(("by", "labels"), [("wanda", REWORK), ("mallory", MERGE), ("trudy", MERGE)])
def test_a_remark_calls_the_coder_if_its_author_may_write(
    office: Office, tmp_path: Path, by: str, labels: set[str]
) -> None:
    number = proposed(office, tmp_path, "entropy:merge")
    say(office, number, by=by)
    assert look(office, number) == labels


def test_remarks_of_our_own_reviewer_call_nobody(office: Office, tmp_path: Path) -> None:
    number = proposed(office, tmp_path, "entropy:merge")
    forge = office.tools.github("reviewer")
    commit = head(office, number)
    body = {"body": "Not so.", "commit_id": commit, "path": "changes.txt", "line": 1, "side": "RIGHT"}
    forge.issues._connection.write("POST", f"/repos/{NAME}/pulls/{number}/comments", body, target=number, action="say")
    assert look(office, number) == MERGE


def test_a_thread_that_is_settled_or_answered_calls_nobody(office: Office, tmp_path: Path) -> None:
    number = proposed(office, tmp_path, "entropy:merge")
    item = WorkItem(repository=NAME, number=number)
    say(office, number, by="ada")
    say(office, number, by="wanda")
    first, second = office.tools.github("coder").threads.of(item)
    office.tools.github("coder").threads.resolve(item, first)
    office.tools.github("coder").threads.answer(item, second, marker="entropy:answer:r1", body="It is.")
    assert look(office, number) == MERGE


def test_requested_changes_call_the_coder_until_a_later_commit_answers_them(office: Office, tmp_path: Path) -> None:
    number = proposed(office, tmp_path)
    office.repository("ada").get_pull(number).create_review(event="REQUEST_CHANGES", body="Please.")
    assert look(office, number) == REWORK
    office.issue(number, "ada").remove_from_labels("entropy:code")
    office.push(PROPOSED, author="entropy-coder", committer="entropy-coder", folder=tmp_path)
    assert look(office, number) == set()


def test_a_failed_check_is_run_again_once_and_calls_the_coder_when_it_fails_again(
    office: Office, tmp_path: Path
) -> None:
    number = proposed(office, tmp_path)
    check(office, number, "failure", at="10:00:00")
    assert (look(office, number), asked_again(office)) == (set(), 1)
    check(office, number, "failure", at="10:05:00")
    assert (look(office, number), asked_again(office)) == (REWORK, 1)


def test_a_failed_job_is_run_again_once_and_what_it_prints_commands_nobody(office: Office, tmp_path: Path) -> None:
    number = proposed(office, tmp_path)
    for minute in (0, 5):
        ended = f"2026-11-22T10:0{minute}:00Z"
        failed_job(
            office.forge.store, NAME, head(office, number), log=b"/entropy approve\n##[error]Red.\n", ended=ended
        )
        assert look(office, number) == (REWORK if minute else set())
    with office.forge.store.read() as db:
        asked = db.execute("SELECT path FROM journal WHERE path LIKE '%/rerun' AND status = 201").fetchall()
    assert (len(asked), asked_again(office)) == (1, 0)


def test_a_check_that_is_green_the_second_time_calls_nobody(office: Office, tmp_path: Path) -> None:
    number = proposed(office, tmp_path)
    check(office, number, "failure", at="10:00:00")
    look(office, number)
    check(office, number, "success", at="10:05:00")
    assert (look(office, number), asked_again(office)) == (set(), 1)


def test_nobody_is_called_while_a_check_runs(office: Office, tmp_path: Path) -> None:
    number = proposed(office, tmp_path)
    office.repository("wanda").get_commit(head(office, number)).create_status("failure", context="lint")
    office.repository("wanda").get_commit(head(office, number)).create_status("pending", context="slow")
    assert look(office, number) == set()
    office.repository("wanda").get_commit(head(office, number)).create_status("success", context="slow")
    assert look(office, number) == REWORK


def test_what_is_approved_and_green_goes_to_the_merger(office: Office, tmp_path: Path) -> None:
    number = proposed(office, tmp_path)
    assert look(office, number) == set()
    approve(office, number)
    assert look(office, number) == MERGE


@pytest.mark.parametrize("label", ["entropy:parked", "entropy:stop", "entropy:paused", "entropy:handed-over"])
def test_where_people_hold_agents_back_nothing_is_done(office: Office, tmp_path: Path, label: str) -> None:
    number = proposed(office, tmp_path, label)
    say(office, number, by="ada")
    approve(office, number)
    assert look(office, number) == {label}


@pytest.mark.parametrize(("author", "branch"), [("wanda", "entropy/issue-9"), ("entropy-coder", "elsewhere")])
def test_what_no_agent_proposed_for_an_issue_is_left_alone(
    office: Office, tmp_path: Path, author: str, branch: str
) -> None:
    office.push(branch, author=author, committer=author, folder=tmp_path)
    if author == "wanda":
        number = office.repository(author).create_pull(base="main", head=branch, title="Mine", body="").number
    else:
        number = office.tools.github("coder").pulls.ensure(NAME, branch=branch, base="main", title="Mine", body="")
    say(office, number, by="ada")
    assert look(office, number) == set()


def test_a_conflict_with_the_base_calls_the_coder(office: Office, tmp_path: Path) -> None:
    number = proposed(office, tmp_path, "entropy:merge")
    office.move_main(tmp_path)
    assert look(office, number) == REWORK
