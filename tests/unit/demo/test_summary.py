"""What the summary says of a run and of a diff."""

from entropy.cli.demo.summary import SHOWN_LINES, shorten, times
from entropy.models import Run, Stage, Step, WorkItem


def test_time_is_given_per_stage() -> None:
    steps = [(Stage.INITIALIZE, 10.5, 11.0), (Stage.EXECUTE, 11.0, 14.25)]
    history = tuple(
        Step(stage=stage, generation=1, started=started, ended=ended, note="done") for stage, started, ended in steps
    )
    run = Run(id="r", item=WorkItem.parse("acme/widgets#1"), role="coder", created=10.0, history=history)
    assert times(run) == "coder       4.2 s  (initialize 0.5, execute 3.2)"


def test_a_long_diff_is_cut_and_says_so() -> None:
    diff = "\n".join(f"+{number}" for number in range(SHOWN_LINES + 3))
    assert shorten(diff).splitlines()[-2:] == [f"+{SHOWN_LINES - 1}", "… 3 more lines"]


def test_a_short_diff_is_whole() -> None:
    assert shorten("+1\n+2") == "+1\n+2"
