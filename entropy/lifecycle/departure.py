"""What leaves an execute worker: words without the secrets that only this worker knows, and no patch that holds one.

Keys of models are nowhere else, so the control side, which looks again before it publishes, cannot know them.
"""

from entropy.errors import PolicyViolation
from entropy.lifecycle.publish.disarming import Censor
from entropy.lifecycle.publish.inert import word
from entropy.lifecycle.scanning import scan
from entropy.models import Evidence, Finding, Outcome
from entropy.repository.gains import gains

HOLDS = "The change is not kept: {place} holds what looks like {kind}."


def masked(outcome: Outcome) -> Outcome:
    """The outcome with its secrets cut out, and a note where there were any."""
    censor = Censor()
    words = {
        "engine": censor(outcome.engine) if outcome.engine else outcome.engine,
        "model": censor(outcome.model) if outcome.model else outcome.model,
        "findings": tuple(_remark(each, censor) for each in outcome.findings),
        "evidence": tuple(_piece(each, censor) for each in outcome.evidence),
    }
    summary = censor(outcome.summary)
    return outcome.model_copy(update={**words, "summary": f"{summary}{censor.note}"})


def _remark(finding: Finding, censor: Censor) -> Finding:
    return finding.model_copy(update={"path": censor(finding.path), "message": censor(finding.message)})


def _piece(evidence: Evidence, censor: Censor) -> Evidence:
    command = tuple(censor(part) for part in evidence.command)
    return evidence.model_copy(update={"command": command, "output": censor(evidence.output)})


def examine(patch: bytes) -> None:
    """Raise `PolicyViolation`, which does not repeat it, for a patch with a secret in what it brings in."""
    found = gains(patch)
    for hit in scan([each.text for each in found]):
        at = found[hit.line]
        place = f"line {at.number} of `{word(at.path, 300)}`" if at.number else "the name of a file"
        raise PolicyViolation(HOLDS.format(place=place, kind=hit.kind))
