"""The coder: makes the change that an issue, or a review of an earlier attempt, asks for."""

from typing import ClassVar

from entropy.agents.base import BaseAgent, Handoffs
from entropy.agents.evidence import ending, observe, quote
from entropy.items import Assignment
from entropy.models import Outcome, Verdict
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.interface import Sandbox

# In a copy, since what a test run leaves behind (caches, reports) must not become part of the change. A tree too large
# for that is tested in its place.
IN_A_COPY = (
    *("sh", "-c", 'copy=$(mktemp -d) && { cp -a . "$copy" && cd "$copy" || rm -rf "$copy"; }; exec "$@"', "sh"),
)


class Coder(BaseAgent):
    role = "coder"
    trigger = "entropy:code"
    handoffs: ClassVar[Handoffs] = {Verdict.CHANGED: "entropy:review"}

    def perform(self, assignment: Assignment, sandbox: Sandbox) -> Outcome:
        engine = next((engine for engine in self.engines if engine.applies(assignment)), None)
        if engine is None:
            return Outcome(verdict=Verdict.GAVE_UP, summary=_nothing_applies(assignment))
        outcome = engine.perform(assignment, sandbox)
        if outcome.verdict is not Verdict.CHANGED:
            return outcome
        return _with_tests(outcome, assignment, sandbox, proposes_red=engine.proposes_red)


def _nothing_applies(assignment: Assignment) -> str:
    labels = ", ".join(quote(recipe.label) for recipe in assignment.config.recipes)
    offer = f"set one of this repository's recipe labels ({labels})" if labels else "name a recipe in .entropy.toml"
    return f"No engine can work on this: {offer}, or let a person make the change."


def _with_tests(outcome: Outcome, assignment: Assignment, sandbox: Sandbox, *, proposes_red: bool) -> Outcome:
    """The engine's outcome with what the repository's tests say about it."""
    command = assignment.config.test
    if command is None:
        return _amend(outcome, "This repository names no test command, so nothing was tested.")
    evidence = observe(sandbox, command, phase=Phase.TEST, as_run=IN_A_COPY + command).evidence
    outcome = outcome.model_copy(update={"evidence": (*outcome.evidence, evidence)})
    if evidence.exit_status == 0:
        return _amend(outcome, f"The tests are green: {ending(evidence)}.")
    red = _amend(outcome, f"The tests are red: {ending(evidence)}.")
    return red if proposes_red else red.model_copy(update={"verdict": Verdict.GAVE_UP})


def _amend(outcome: Outcome, sentence: str) -> Outcome:
    return outcome.model_copy(update={"summary": f"{outcome.summary} {sentence}"})
