"""Tickets: which of several installations may count on an item, and what becomes of tickets that nobody needs."""

import pytest

from entropy.items import Comment
from entropy.lifecycle.progress import status_marker, with_progress
from entropy.lifecycle.tickets import STALE, ticket
from entropy.models import Progress, Run
from tests.integration.lifecycle.office import CODE, RECIPE, Office

pytestmark = pytest.mark.redis

OURS, OTHER = "here", "elsewhere"


@pytest.fixture
def run(office: Office) -> Run:
    """A run of an installation that has a name."""
    named = office.tools.settings.github.model_copy(update={"installation": OURS})
    office.tools.settings = office.tools.settings.model_copy(update={"github": named})
    return office.admitted(office.filed(RECIPE, CODE))


def left(office: Office, run: Run, installation: str, *, ago: int = 0) -> Comment:
    """A ticket that is there already, written so many seconds earlier."""
    body = f"Entropy, the installation {installation}, is next."
    made = office.tools.github("coder").issues.add_comment(run.item, marker="entropy:ticket:coder", body=body)
    with office.forge.store.write() as db:
        db.execute(
            "UPDATE comments SET created = strftime('%Y-%m-%dT%H:%M:%SZ', created, ?) WHERE id = ?",
            (f"-{ago} seconds", made.id),
        )
    return made


def may_count(office: Office, run: Run) -> bool:
    item = office.tools.github("coder").issues.get(run.item)
    with ticket(run, item, office.tools) as found:
        return found is not None


def kept(office: Office, run: Run) -> list[int]:
    return [comment.id for comment in office.tools.github("coder").issues.get(run.item).comments]


def written(office: Office) -> int:
    """How many comments were ever written."""
    with office.forge.store.read() as db:
        found = db.execute("SELECT count(*) FROM journal WHERE method = 'POST' AND path LIKE '%/comments'").fetchone()
    return int(found[0])


def test_an_own_ticket_that_was_left_behind_is_removed(office: Office, run: Run) -> None:
    left(office, run, OURS)
    assert may_count(office, run)
    assert kept(office, run) == []


def test_an_older_ticket_of_another_installation_goes_first(office: Office, run: Run) -> None:
    other = left(office, run, OTHER, ago=STALE // 2)
    assert not may_count(office, run)
    assert kept(office, run) == [other.id]


def test_a_forgotten_ticket_of_another_installation_is_removed(office: Office, run: Run) -> None:
    left(office, run, OTHER, ago=STALE + 60)
    assert may_count(office, run)
    assert kept(office, run) == []


def test_a_persons_words_are_no_ticket(office: Office, run: Run) -> None:
    body = f"<!-- entropy:ticket:coder -->\nEntropy, the installation {OTHER}, is next."
    said = office.issue(run.item.number, "mallory").create_comment(body)
    assert may_count(office, run)
    assert kept(office, run) == [said.id]


def test_while_one_looks_another_waits(office: Office, run: Run) -> None:
    item = office.tools.github("coder").issues.get(run.item)
    with ticket(run, item, office.tools) as first:
        named = office.tools.settings.github.model_copy(update={"installation": OTHER})
        office.tools.settings = office.tools.settings.model_copy(update={"github": named})
        assert first is not None
        assert not may_count(office, run)
    assert kept(office, run) == []
    assert may_count(office, run)


def test_where_another_installation_is_at_work_no_ticket_is_written(office: Office, run: Run) -> None:
    at_work = Progress(key="k", count=1, run="r", installation=OTHER, working=True)
    said = office.tools.github("coder").issues.add_comment(
        run.item, marker=status_marker("coder"), body=with_progress(at_work, "The coder is at work.")
    )
    before = written(office)
    assert not may_count(office, run)
    assert written(office) == before
    assert kept(office, run) == [said.id]
