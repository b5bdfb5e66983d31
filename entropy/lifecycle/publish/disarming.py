"""What an agent hands in, before anything is published: within its office, inert, and without secrets."""

import math

from entropy.agents.base import BaseAgent
from entropy.lifecycle.publish.inert import fitting, in_code, inert, visible, word
from entropy.lifecycle.scanning import cleansed
from entropy.models import Evidence, Finding, Outcome, Verdict

MOST_FINDINGS = 50
MOST_EVIDENCE = 20
LONGEST_PATH = 4096
LONGEST_REMARK = 4000
LONGEST_OUTPUT = 5_000

OFFICE = {
    Verdict.CHANGED: Verdict.CHANGED,
    Verdict.INCOMPLETE: Verdict.CHANGED,
    Verdict.APPROVED: Verdict.APPROVED,
    Verdict.CHANGES_REQUESTED: Verdict.CHANGES_REQUESTED,
}
"""For a verdict that is acted upon: the one that its role has to hand on."""
FROM_FACTS = frozenset({Verdict.MERGEABLE, Verdict.OUTDATED})
"""Only for roles without a sandbox, which judge by nothing but what the forge holds."""
BEFORE = frozenset({Verdict.ADOPTED, Verdict.UNTRUSTED})
"""What only becomes of a run that no agent has worked on."""


def overreach(outcome: Outcome, agent: BaseAgent) -> str | None:
    """What is wrong with a verdict that this role may not come to, as a sentence."""
    verdict = outcome.verdict
    beyond = verdict in OFFICE and OFFICE[verdict] not in agent.handoffs
    if beyond or verdict in BEFORE or (verdict in FROM_FACTS and agent.uses_sandbox):
        return f"The {agent.role} said `{verdict}`, which is not for it to say, so nothing of it is published."
    return None


class Censor:
    """Takes secrets out of the words of one outcome, and knows afterwards of which kinds they were."""

    def __init__(self) -> None:
        self._kinds = set[str]()

    def __call__(self, text: str) -> str:
        clean, kinds = cleansed(visible(text))
        self._kinds |= kinds
        return clean

    @property
    def note(self) -> str:
        kinds = ", ".join(sorted(self._kinds))
        return f"\n\n*Taken out of the words of this run: {kinds}. Revoke it if it is real.*" if kinds else ""


def disarmed(outcome: Outcome) -> Outcome:
    """The outcome with inert words, as much as people can read, and without secrets."""
    censor = Censor()
    words = {
        "engine": word(censor(outcome.engine)) if outcome.engine else None,
        "model": word(censor(outcome.model)) if outcome.model else None,
        "findings": tuple(_remark(each, censor) for each in outcome.findings[:MOST_FINDINGS]),
        "evidence": tuple(_piece(each, censor) for each in outcome.evidence[:MOST_EVIDENCE]),
    }
    summary = inert(censor(fitting(outcome.summary)))
    cost = outcome.cost if outcome.cost is not None and math.isfinite(outcome.cost) else None
    return outcome.model_copy(update={**words, "summary": f"{summary}{censor.note}", "cost": cost})


def _remark(finding: Finding, censor: Censor) -> Finding:
    return Finding(
        path=word(censor(finding.path[:LONGEST_PATH]), LONGEST_PATH),
        line=max(1, min(finding.line, 2**31 - 1)),
        message=inert(censor(fitting(finding.message, LONGEST_REMARK))),
    )


def _piece(evidence: Evidence, censor: Censor) -> Evidence:
    return Evidence(
        command=(word(censor(" ".join(evidence.command)[:LONGEST_PATH]), 500),),
        exit_status=evidence.exit_status,
        output=in_code(censor(evidence.output[-LONGEST_OUTPUT:])),
        seconds=evidence.seconds if math.isfinite(evidence.seconds) else 0.0,
    )
