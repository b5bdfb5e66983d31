"""Answers to review threads: each is told what the rework did about it, and is settled where it did something."""

from entropy.items import Assignment, ReviewThread
from entropy.lifecycle.publish.inert import word
from entropy.models import Outcome, Run
from entropy.wiring import Toolbox


def answer_threads(run: Run, outcome: Outcome, assignment: Assignment, commit: str, tools: Toolbox) -> None:
    """Reply to each thread of the assignment, and resolve those whose file was changed."""
    pull = assignment.item.pull_request
    before = pull.head_commit if pull else assignment.base_commit
    changed = tools.mirror(run.role, run.item.repository).changed(before, commit)
    asked = {thread.id for thread in assignment.threads}

    def answer() -> str:
        threads = tools.github(run.role).threads
        for thread in threads.of(run.item):  # as they are now: an earlier try may have come half-way
            if thread.id not in asked:
                continue
            done = thread.path in changed
            body = _sentence(thread, outcome, commit, done=done)
            threads.answer(run.item, thread, marker=f"entropy:answer:{run.id}", body=body)
            if done:
                threads.resolve(run.item, thread)
        return commit

    tools.intents.once(run, "threads", answer)


def _sentence(thread: ReviewThread, outcome: Outcome, commit: str, *, done: bool) -> str:
    if done:
        return f"Changed in {commit}: {outcome.summary}"
    left = f"{commit} leaves `{word(thread.path, 300)}` as it is: {outcome.summary}"
    return f"{left} Reply here if there is something left to do."
