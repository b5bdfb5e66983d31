"""The reviewer: runs the repository's tests on a pull request and says where something is wrong."""

from collections.abc import Iterable
from typing import ClassVar

from entropy.agents.base import BaseAgent, Handoffs
from entropy.agents.diff import TouchedFile, changed_files
from entropy.agents.evidence import Observation, ending, observe, quote
from entropy.agents.failures import Failure, Frame, read_failures
from entropy.items import Assignment
from entropy.models import Evidence, Finding, Outcome, Verdict
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.interface import Sandbox

NOT_STARTED = (126, 127)
"""A shell's exit statuses for a command that cannot be run or is not there."""
MOST_FINDINGS = 10


class Reviewer(BaseAgent):
    role = "reviewer"
    trigger = "entropy:review"
    handoffs: ClassVar[Handoffs] = {
        Verdict.APPROVED: "entropy:merge",
        Verdict.CHANGES_REQUESTED: "entropy:code",
    }

    def perform(self, assignment: Assignment, sandbox: Sandbox) -> Outcome:
        if assignment.item.pull_request is None:
            return Outcome(verdict=Verdict.GAVE_UP, summary="This is an issue; only a pull request can be reviewed.")
        if not assignment.diff.strip():
            return Outcome(
                verdict=Verdict.CHANGES_REQUESTED,
                summary=f"This pull request changes nothing against {quote(assignment.base_branch)}.",
            )
        if assignment.config.test is None:
            return Outcome(
                verdict=Verdict.GAVE_UP,
                summary="This repository names no test command in .entropy.toml, so a person has to review this.",
            )
        return _review(assignment, assignment.config.test, sandbox)


def _review(assignment: Assignment, command: tuple[str, ...], sandbox: Sandbox) -> Outcome:
    root = sandbox.exec(("pwd",)).stdout.strip() or "/"
    observation = observe(sandbox, command, phase=Phase.TEST)
    evidence = observation.evidence
    if evidence.exit_status == 0:
        return _outcome(Verdict.APPROVED, f"The tests are green: {ending(evidence)}.", evidence)
    if evidence.exit_status in NOT_STARTED:
        sentence = f"The tests cannot be run: {ending(evidence)}. Correct the test command in .entropy.toml."
        return _outcome(Verdict.GAVE_UP, sentence, evidence)
    return _request_changes(observation, changed_files(assignment.diff), root)


def _request_changes(observation: Observation, changes: tuple[TouchedFile, ...], root: str) -> Outcome:
    evidence = observation.evidence
    failures = read_failures(observation.output, root=root) or (Failure((), "", ()),)
    names = [quote(test) for failure in failures for test in failure.tests]
    summary = f"The tests are red: {ending(evidence)}."
    if names:
        more = f" and {len(names) - MOST_FINDINGS} more" if len(names) > MOST_FINDINGS else ""
        summary += f" Failing: {', '.join(names[:MOST_FINDINGS])}{more}."
    findings = _findings(failures, changes, evidence)
    return _outcome(Verdict.CHANGES_REQUESTED, summary, evidence, findings)


def _outcome(verdict: Verdict, summary: str, evidence: Evidence, findings: tuple[Finding, ...] = ()) -> Outcome:
    return Outcome(verdict=verdict, summary=summary, evidence=(evidence,), findings=findings)


def _findings(failures: Iterable[Failure], changes: tuple[TouchedFile, ...], evidence: Evidence) -> tuple[Finding, ...]:
    """One remark per place, each with all failures that lead there."""
    places: dict[Frame, list[str]] = {}
    for failure in failures:
        place = _place(failure.frames, changes)
        if place is not None:
            places.setdefault(place, []).append(_explain(failure, evidence))
    return tuple(
        Finding(path=place.path, line=place.line, message="\n\n".join(messages[:MOST_FINDINGS]))
        for place, messages in list(places.items())[:MOST_FINDINGS]
    )


def _place(frames: tuple[Frame, ...], changes: tuple[TouchedFile, ...]) -> Frame | None:
    """The changed line to speak about; None when the change leaves no line on the new side."""
    added = {Frame(file.path, line) for file in changes for line in file.added}
    through = [frame for frame in frames if frame in added]
    if through:
        return through[-1]
    by_weight = sorted(changes, key=lambda file: (not file.added, file.is_prose, file.is_test))
    return next((Frame(file.path, line) for file in by_weight for line in file.added or file.shown), None)


def _explain(failure: Failure, evidence: Evidence) -> str:
    names = ", ".join(quote(test) for test in failure.tests[:MOST_FINDINGS])
    said = quote(failure.reason) if failure.reason else ending(evidence)
    return f"{names} fails with this change: {said}." if names else f"The tests fail with this change: {said}."
