"""The canvas: which message goes to which queue, and that a message is no more than a key."""

from entropy.lifecycle.chain import canvas
from entropy.lifecycle.queues import queue_names
from entropy.models import Run, Stage, WorkItem

RUN = Run(id="r1", item=WorkItem(repository="acme/widgets", number=7), role="coder", created=0, generation=3)


def messages(run: Run) -> list[tuple[str, str]]:
    signature = canvas(run)
    tasks = getattr(signature, "tasks", [signature])
    assert all(tuple(task.args) == ("r1", 3) for task in tasks)
    assert all(dict(task.kwargs) == {} for task in tasks)
    return [(task.task, task.options["queue"]) for task in tasks]


def test_a_fresh_run_has_five_messages() -> None:
    assert messages(RUN) == [
        ("entropy.lifecycle.initialize", "coder.control"),
        ("entropy.lifecycle.claim", "coder.control"),
        ("entropy.lifecycle.execute", "coder"),
        ("entropy.lifecycle.report", "coder.control"),
        ("entropy.lifecycle.cleanup", "coder.control"),
    ]


def test_a_run_that_is_taken_up_goes_on_where_it_was() -> None:
    names = [name for name, _ in messages(RUN.evolve(stage=Stage.REPORT))]
    assert names == ["entropy.lifecycle.report", "entropy.lifecycle.cleanup"]
    assert [name for name, _ in messages(RUN.evolve(stage=Stage.CLEANUP))] == ["entropy.lifecycle.cleanup"]


def test_each_role_has_two_queues() -> None:
    assert queue_names(["coder", "merger"]) == ("scheduling", "coder", "coder.control", "merger", "merger.control")
