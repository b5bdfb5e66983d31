"""What a role said twice: one of it stays, and nobody else's words are touched."""

import pytest

from entropy.github.markers import marked
from entropy.models import WorkItem
from entropy.scheduling.attention import attend
from tests.integration.lifecycle.office import NAME, Office

pytestmark = pytest.mark.redis


def test_a_comment_that_was_written_twice_is_taken_back_once(office: Office) -> None:
    item = WorkItem(repository=NAME, number=office.filed())
    coder, reviewer = (office.tools.github(role).issues for role in ("coder", "reviewer"))
    first = coder.add_comment(item, marker="entropy:status:coder", body="One.")
    for issues, marker in (
        (reviewer, "entropy:status:coder"),
        (coder, "entropy:answer:7"),
        (coder, "entropy:ticket:coder"),
    ):
        issues.add_comment(item, marker=marker, body="Of its own.")
    coder.add_comment(item, marker="entropy:ticket:coder", body="Of another installation.")
    coder.add_comment(item, marker="entropy:status:coder", body="Two.")
    office.issue(item.number, "ada").create_comment(marked("entropy:status:coder", "A person may quote it."))
    attend(item, office.tools)
    said = [body.splitlines()[-1] for _, body in office.comments(item.number)]
    assert said == [
        "One.",
        "Of its own.",
        "Of its own.",
        "Of its own.",
        "Of another installation.",
        "A person may quote it.",
    ]
    assert first.id == coder.ensure_comment(item, marker="entropy:status:coder", body="One.")
