"""The early end of a run: an outcome without an agent."""

from entropy.models import Outcome, Run, Stage, Verdict


def conclude(run: Run, verdict: Verdict, summary: str) -> Run:
    """The run with this outcome, on its way to `report`."""
    return run.evolve(outcome=Outcome(verdict=verdict, summary=summary), stage=Stage.REPORT)
