"""Commands in comments: who is obeyed, what is answered, and that both happen once."""

import pytest

from entropy.github import GitHub
from entropy.lifecycle.progress import status_marker, status_of, with_progress
from entropy.models import Progress, Stage, Verdict, WorkItem
from entropy.scheduling.attention import attend
from entropy.scheduling.commands import obey
from entropy.wiring import TOKEN
from tests.integration.lifecycle.office import CODE, NAME, RECIPE, Office

pytestmark = pytest.mark.redis


def look(office: Office, number: int) -> None:
    """As discovery does when an item changed."""
    item = office.tools.github("scheduler").issues.get(WorkItem(repository=NAME, number=number))
    obey(item, office.tools)


def say(office: Office, number: int, text: str, *, by: str = "wanda") -> int:
    """Comment, have it looked at, and give the comment's id."""
    comment = office.issue(number, by).create_comment(text)
    look(office, number)
    return int(comment.id)


def reactions(office: Office, number: int, comment: int) -> list[str]:
    return [each.content for each in office.issue(number, "ada").get_comment(comment).get_reactions()]


def answers(office: Office, number: int) -> list[str]:
    return [body for author, body in office.comments(number) if author.startswith("entropy-")]


def test_a_command_is_acknowledged_and_obeyed(office: Office) -> None:
    number = office.filed(RECIPE)
    comment = say(office, number, "/entropy code")
    assert office.labels(number) == {RECIPE, CODE}
    assert reactions(office, number, comment) == ["eyes", "rocket"]
    assert answers(office, number) == []
    assert office.initialized(number).outcome is None, "the label is ours, on behalf of somebody who may"


def test_a_command_of_an_outsider_is_refused_once_however_often_he_tries(office: Office) -> None:
    number = office.filed(RECIPE, by="mallory")
    for _ in range(3):
        comment = say(office, number, "/entropy code", by="mallory")
        assert reactions(office, number, comment) == ["confused"]
    say(office, number, "/entropy stop", by="trudy")
    assert office.labels(number) == {RECIPE}
    (said,) = answers(office, number)
    assert said.endswith("Agents obey commands of people who may write to this repository, and of nobody else.")


def test_a_command_is_obeyed_once_even_if_redis_forgets_it(office: Office) -> None:
    number = office.filed(RECIPE)
    comment = say(office, number, "/entropy pause\n/entropy explain")
    before = answers(office, number)
    office.tools.connection.redis.flushall()
    office.issue(number, "ada").remove_from_labels("entropy:paused")
    look(office, number)
    assert office.labels(number) == {RECIPE}
    assert answers(office, number) == before
    assert reactions(office, number, comment) == ["eyes", "rocket"]


def test_a_command_whose_worker_died_is_obeyed_by_the_next(office: Office) -> None:
    number = office.filed(RECIPE)
    comment = office.issue(number, "ada").create_comment("/entropy code")
    office.tools.github("coder").reactions.add(WorkItem(repository=NAME, number=number), comment.id, "eyes")
    look(office, number)
    assert office.labels(number) == {RECIPE, CODE}
    assert reactions(office, number, comment.id) == ["eyes", "rocket"]


def test_a_command_is_not_obeyed_twice_at_once(office: Office) -> None:
    number = office.filed(RECIPE)
    comment = office.issue(number, "ada").create_comment("/entropy code")
    assert office.tools.people.take(comment.id)
    look(office, number)
    assert reactions(office, number, comment.id) == []


def test_a_deleted_command_is_forgotten(office: Office) -> None:
    number = office.filed(RECIPE)
    comment = office.issue(number, "ada").create_comment("/entropy code")
    item = office.tools.github("scheduler").issues.get(WorkItem(repository=NAME, number=number))
    comment.delete()
    obey(item, office.tools)
    obey(item, office.tools)
    assert office.labels(number) == {RECIPE}
    assert answers(office, number) == []


def test_what_agents_write_commands_nobody(office: Office) -> None:
    number = office.filed(RECIPE)
    item = WorkItem(repository=NAME, number=number)
    office.tools.github("coder").issues.ensure_comment(item, marker="entropy:status:coder", body="/entropy stop")
    look(office, number)
    assert office.labels(number) == {RECIPE}


def test_an_unknown_word_is_answered_with_the_list(office: Office) -> None:
    number = office.filed(RECIPE)
    comment = say(office, number, "/entropy dance `@all`")
    look(office, number)
    (said,) = answers(office, number)
    assert "`dance` is not a command. The commands are `/entropy plan`, `/entropy code`" in said
    assert reactions(office, number, comment) == ["eyes", "confused"]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("plan", "Nobody here does `plan` yet; the roles are coder, reviewer, merger."),
        ("review", "This is an issue; write it on the pull request that is to be reviewed."),
        ("rework", "This is an issue; write it on the pull request that is to be reworked."),
        ("retry", "No agent has worked on this yet; say which with `/entropy code`."),
        ("approve", "Nothing waits for an approval here."),
        ("resume", "Nothing holds agents back here; `/entropy explain` says what they wait for."),
        ("budget lots", "Say how much, in US dollars: `/entropy budget 5`."),
    ],
)
def test_what_cannot_be_done_is_said(office: Office, command: str, answer: str) -> None:
    number = office.filed(RECIPE)
    comment = say(office, number, f"/entropy {command}")
    (said,) = answers(office, number)
    assert said.endswith(answer)
    assert reactions(office, number, comment) == ["eyes", "confused"]


def test_pause_and_resume(office: Office) -> None:
    number = office.filed(RECIPE, CODE)
    say(office, number, "/entropy pause")
    assert office.labels(number) == {RECIPE, CODE, "entropy:paused"}
    run = office.initialized(number)
    assert run.outcome is not None
    assert run.outcome.verdict is Verdict.SUPERSEDED
    office.told(run)
    say(office, number, "/entropy resume")
    assert office.labels(number) == {RECIPE, CODE}
    assert office.tools.holds.left(run.item, "coder") == 0


def test_stop_ends_the_run_and_keeps_the_next_from_beginning(office: Office) -> None:
    number = office.filed(RECIPE, CODE)
    run = office.admitted(number)
    say(office, number, "/entropy stop")
    stopped = office.tools.runs.get(run.id)
    assert (stopped.stage, stopped.generation) == (Stage.REPORT, 2)
    assert stopped.outcome is not None
    assert stopped.outcome.verdict is Verdict.CANCELLED
    office.told(stopped)
    assert office.labels(number) == {RECIPE, "entropy:stop"}
    assert "A person wrote `/entropy stop`." in answers(office, number)[0]
    say(office, number, "/entropy code")
    assert answers(office, number)[-1].endswith("The coder is about to stop; ask again in a moment.")
    office.tools.connection.redis.flushall()  # it is over
    say(office, number, "/entropy code")
    assert office.labels(number) == {RECIPE, CODE}, "whoever asks again takes the stop back"


def test_retry_forgets_how_often_it_was_tried(office: Office) -> None:
    number = office.filed(RECIPE, "entropy:parked")
    item = WorkItem(repository=NAME, number=number)
    coder = office.tools.github("coder")
    body = with_progress(Progress(key="k", count=2, run="r"), "The coder stops here.")
    coder.issues.ensure_comment(item, marker=status_marker("coder"), body=body)
    office.tools.holds.lengthen(item, "coder")
    say(office, number, "/entropy retry")
    assert office.labels(number) == {RECIPE, CODE}
    assert office.tools.holds.left(item, "coder") == 0
    known = status_of(coder.issues.get(item), "coder", login="entropy-coder")
    assert known is not None
    assert (known[0].key, known[0].count) == ("k", 0)
    assert known[1].body.endswith("The coder stops here.")


def test_retry_says_that_the_count_stands_where_the_role_is_another_workers(office: Office) -> None:
    number = office.filed(RECIPE, "entropy:parked")
    item, settings = WorkItem(repository=NAME, number=number), office.tools.settings
    body = with_progress(Progress(key="k", count=2, run="r"), "The coder stops here.")
    with GitHub(settings.github, office.tools.secrets.get("coder", TOKEN)) as coder:
        coder.issues.ensure_comment(item, marker=status_marker("coder"), body=body)
    secret = settings.secrets.directory / "coder_github_token"
    aside = secret.rename(secret.with_suffix(".aside"))
    comment = say(office, number, "/entropy retry")
    aside.rename(secret)
    assert office.labels(number) == {RECIPE, CODE}
    assert reactions(office, number, comment) == ["eyes", "rocket"]
    status, said = answers(office, number)
    assert '"count":2' in status
    assert "The count of tries stands, for the credentials of the coder are with another worker." in said
    assert "delete the status comment of the coder here" in said


def test_approve_lets_a_parked_item_go_on(office: Office) -> None:
    number = office.filed(RECIPE, CODE, "entropy:parked")
    say(office, number, "/entropy approve")
    assert office.labels(number) == {RECIPE, CODE}


def test_budget_is_written_down_once_and_can_be_changed(office: Office) -> None:
    number = office.filed(RECIPE)
    say(office, number, "/entropy budget 5")
    say(office, number, "/entropy budget 7.50")
    (said,) = answers(office, number)
    assert "<!-- entropy:budget 7.50 -->" in said
    assert "a budget of 7.50 $" in said


def test_explain_tells_the_stages_of_a_run(office: Office) -> None:
    number = office.filed(RECIPE, CODE)
    run = office.admitted(number)
    say(office, number, "/entropy explain")
    (said,) = answers(office, number)
    assert f"The coder is at work: run `{run.id}`.\n* initialize: waits for a worker\n* claim: to come" in said


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ((), "No label hands it to an agent; the labels are `entropy:code`, `entropy:review`, `entropy:merge`."),
        ((CODE,), "The coder has it next; it begins with the next discovery"),
        ((CODE, "entropy:stop"), "It was stopped: the label `entropy:stop` is on it."),
        ((CODE, "entropy:paused"), "It is paused: the label `entropy:paused` is on it."),
        (("entropy:parked",), "It is parked: the last comment of an agent says why."),
    ],
)
def test_explain_tells_what_is_waited_for(office: Office, labels: tuple[str, ...], reason: str) -> None:
    number = office.filed(RECIPE, *labels)
    say(office, number, "/entropy explain")
    (said,) = answers(office, number)
    assert reason in said


def test_explain_tells_of_a_hold(office: Office) -> None:
    number = office.filed(RECIPE, CODE)
    office.tools.holds.lengthen(WorkItem(repository=NAME, number=number), "coder")
    say(office, number, "/entropy explain")
    assert "s at the earliest: the last runs did not move it." in answers(office, number)[0]


def test_several_commands_of_one_comment_are_answered_in_one(office: Office) -> None:
    number = office.filed(RECIPE)
    comment = say(office, number, "/entropy pause\n/entropy plan\n/entropy explain")
    (said,) = answers(office, number)
    assert "Nobody here does `plan` yet" in said
    assert "No label hands it" in said
    assert "entropy:paused" in office.labels(number)
    assert reactions(office, number, comment) == ["eyes", "confused"]


def test_discovery_shows_comments_to_whoever_obeys(office: Office) -> None:
    number = office.filed(RECIPE)
    office.issue(number, "ada").create_comment("/entropy pause")
    attend(WorkItem(repository=NAME, number=number), office.tools)
    assert "entropy:paused" in office.labels(number)
