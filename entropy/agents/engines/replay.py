"""The engine without a model: it plays a recorded answer to an issue in the sandbox, step by step."""

import base64
import binascii
from typing import assert_never

from entropy.agents.engines.recording import EditStep, PlayStep, Recording, RunStep, WriteStep, read_recordings
from entropy.agents.evidence import ending, observe, quote
from entropy.errors import PolicyViolation
from entropy.items import Assignment, Item, Review
from entropy.models import Evidence, Outcome, Verdict
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.files import write_file
from entropy.sandbox.interface import Sandbox
from entropy.settings import EngineSettings


class ReplayEngine:
    """Finds the recording by repository and title, and the attempt by how often a review asked for changes."""

    name = "replay"
    proposes_red = True

    def __init__(self, settings: EngineSettings) -> None:
        self._folder = settings.recordings

    def applies(self, assignment: Assignment) -> bool:
        return self._recording(assignment.item) is not None

    def perform(self, assignment: Assignment, sandbox: Sandbox) -> Outcome:
        recording = self._recording(assignment.item)
        attempts = recording.attempts if recording else ()
        number = _rounds(assignment)
        if number >= len(attempts):
            return self._give_up(
                f"The recording for this item has {len(attempts)} attempts and number {number + 1} is asked for; "
                "a person has to take over."
            )
        evidence: list[Evidence] = []
        # On a new base nothing of the earlier attempts is there any more.
        for played in range(0 if assignment.afresh else number, number + 1):
            for position, step in enumerate(attempts[played].steps, start=1):
                obstacle = _play(step, sandbox, evidence)
                if obstacle:
                    return self._give_up(f"Step {position} of attempt {played + 1} does not fit: {obstacle}.", evidence)
        return Outcome(
            verdict=Verdict.CHANGED, engine=self.name, summary=attempts[number].summary, evidence=tuple(evidence)
        )

    def _recording(self, item: Item) -> Recording | None:
        recordings = read_recordings(self._folder) if self._folder else ()
        key = (item.reference.repository, item.subject)
        return next((recording for recording in recordings if (recording.repository, recording.title) == key), None)

    def _give_up(self, summary: str, evidence: list[Evidence] | None = None) -> Outcome:
        return Outcome(verdict=Verdict.GAVE_UP, engine=self.name, summary=summary, evidence=tuple(evidence or ()))


def _rounds(assignment: Assignment) -> int:
    """How many heads of the pull request somebody asked something of."""
    pull = assignment.item.pull_request
    if pull is None:
        return 0
    asked = {review.commit for review in pull.reviews if _asks(review, pull.author)}
    return len(asked | ({pull.head_commit} if assignment.failures else set()))


def _asks(review: Review, author: str) -> bool:
    if review.author == author:
        return False  # an answer
    return review.state == "CHANGES_REQUESTED" or (review.state == "COMMENTED" and bool(review.findings))


def _play(step: PlayStep, sandbox: Sandbox, evidence: list[Evidence]) -> str | None:
    """Do one step; returns what stands in its way, as part of a sentence."""
    match step:
        case RunStep():
            evidence.append(observe(sandbox, step.run, phase=Phase.AGENT).evidence)
            unexpected = evidence[-1].exit_status != step.expect
            return f"{ending(evidence[-1])}, the recording expects {step.expect}" if unexpected else None
        case EditStep():
            return _edit(step, sandbox)
        case WriteStep():
            return _write(sandbox, step.write, step.content.encode())
        case _:
            assert_never(step)


def _edit(step: EditStep, sandbox: Sandbox) -> str | None:
    # base64, since the output of a command is text: odd bytes and line ends would not survive.
    result = sandbox.exec(("base64", f"./{step.edit}"))
    if result.exit_status != 0 or result.truncated:
        return f"the file {quote(step.edit)} {'is too large' if result.truncated else 'cannot be read'}"
    try:
        content = base64.b64decode(result.stdout)
    except binascii.Error:
        return f"the file {quote(step.edit)} cannot be read"
    old = step.replace.encode()
    if content.count(old) != 1:
        return f"the text to replace is in {quote(step.edit)} {content.count(old)} times instead of once"
    return _write(sandbox, step.edit, content.replace(old, step.replacement.encode()))


def _write(sandbox: Sandbox, path: str, content: bytes) -> str | None:
    try:
        write_file(sandbox, path, content)
    except PolicyViolation:
        return f"the file {quote(path)} cannot be written"
    return None
