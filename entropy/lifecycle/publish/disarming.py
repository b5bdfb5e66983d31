"""What an agent hands in, before anything of it is published: within its office, and without what could do harm."""

import math

from entropy.agents.base import BaseAgent
from entropy.lifecycle.publish.inert import in_code, inert, word
from entropy.models import Evidence, Finding, Outcome, Verdict

MOST_FINDINGS = 50
MOST_EVIDENCE = 20
LONGEST_PATH = 4096
LONGEST_OUTPUT = 20_000

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


def disarmed(outcome: Outcome) -> Outcome:
    """The outcome with inert words, as much as people can read."""
    return outcome.model_copy(
        update={
            "summary": inert(outcome.summary),
            "engine": word(outcome.engine) if outcome.engine else None,
            "model": word(outcome.model) if outcome.model else None,
            "cost": outcome.cost if outcome.cost is not None and math.isfinite(outcome.cost) else None,
            "findings": tuple(_remark(each) for each in outcome.findings[:MOST_FINDINGS]),
            "evidence": tuple(_piece(each) for each in outcome.evidence[:MOST_EVIDENCE]),
        }
    )


def _remark(finding: Finding) -> Finding:
    path = word(finding.path, LONGEST_PATH)
    return Finding(path=path, line=max(1, min(finding.line, 2**31 - 1)), message=inert(finding.message))


def _piece(evidence: Evidence) -> Evidence:
    return Evidence(
        command=(word(" ".join(evidence.command), 500),),
        exit_status=evidence.exit_status,
        output=in_code(evidence.output[-LONGEST_OUTPUT:]),
        seconds=evidence.seconds if math.isfinite(evidence.seconds) else 0.0,
    )
