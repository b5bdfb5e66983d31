"""The list of stages that people read, and the message of a commit."""

import pytest

from entropy.lifecycle.publish.commit import message_of
from entropy.lifecycle.publish.prose import details
from entropy.lifecycle.publish.stages import duration, stage_list
from entropy.models import Identity, Outcome, Run, Stage, Step, Verdict, WorkItem
from entropy.settings import ReportSettings

RUN = Run(id="r1", item=WorkItem(repository="acme/widgets", number=7), role="coder", created=10)
CARL = Identity(login="carl", name="Carl", email="1+carl@users.noreply.github.com")
DONE = Outcome(verdict=Verdict.CHANGED, summary="It is done.", engine="recipe")


def step(stage: Stage, started: float, ended: float) -> Step:
    return Step(stage=stage, generation=1, started=started, ended=ended, note="done")


def test_what_is_done_has_a_tick_and_its_time_and_what_is_left_is_named() -> None:
    run = RUN.evolve(stage=Stage.CLAIM, history=(step(Stage.INITIALIZE, 10, 10.25),))
    assert stage_list(run, now=Stage.EXECUTE) == "✓ initialize 0.2 s · ✓ claim · … execute · then report, cleanup"


def test_tries_of_a_stage_are_added_up_and_stages_that_were_passed_have_no_tick() -> None:
    history = (step(Stage.INITIALIZE, 10, 11), step(Stage.INITIALIZE, 20, 23))
    run = RUN.evolve(stage=Stage.REPORT, history=history)
    assert stage_list(run, now=None) == (
        "✓ initialize 4.0 s · \N{EN DASH} claim · \N{EN DASH} execute · ✓ report · then cleanup"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1 min 0 s"), (3599, "59 min 59 s"), (7260, "2 h 1 min")],
)
def test_times_are_as_exact_as_people_want_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_small_print_names_engine_model_time_and_cost() -> None:
    run = RUN.evolve(history=(step(Stage.EXECUTE, 12, 95),))
    assert "engine `recipe`, took 1 min 25 s, cost \N{EN DASH}. `celery -A entropy runs show r1`" in details(run, DONE)
    paid = DONE.model_copy(update={"model": "some-model", "cost": 0.123})
    assert "model `some-model`, took 1 min 25 s, cost 0.12 $" in details(run, paid)


def test_trailers_are_one_block_at_the_end_and_there_only_where_a_setting_says_so() -> None:
    plain = message_of(RUN, DONE, "Totals", CARL, ReportSettings())
    assert plain == "Totals\n\nIt is done.\n\nEntropy-Run: r1\n"
    signed = message_of(RUN, DONE, "Totals", CARL, ReportSettings(sign_off=True, co_author="Ada <ada@example.org>"))
    assert signed.rpartition("\n\n")[2].splitlines() == [
        "Entropy-Run: r1",
        "Co-authored-by: Ada <ada@example.org>",
        "Signed-off-by: Carl <1+carl@users.noreply.github.com>",
    ]
