"""The engine for deterministic changes: a command that the repository names runs in the sandbox."""

from entropy.agents.evidence import ending, observe
from entropy.items import Assignment
from entropy.models import Outcome, Verdict
from entropy.sandbox.egress.verdicts import Phase
from entropy.sandbox.interface import Sandbox
from entropy.settings import EngineSettings


class RecipeEngine:
    """Runs the recipe of ``.entropy.toml`` whose label is on the item."""

    name = "recipe"
    proposes_red = False

    def __init__(self, settings: EngineSettings) -> None:
        """Takes the settings because every engine does; a recipe needs none of them."""

    def applies(self, assignment: Assignment) -> bool:
        return assignment.config.recipe_for(assignment.labels) is not None

    def perform(self, assignment: Assignment, sandbox: Sandbox) -> Outcome:
        recipe = assignment.config.recipe_for(assignment.labels)
        if recipe is None:
            return Outcome(verdict=Verdict.GAVE_UP, engine=self.name, summary="No recipe's label is on this item.")
        evidence = observe(sandbox, recipe.command, phase=Phase.AGENT).evidence
        if evidence.exit_status == 0:
            verdict, summary = Verdict.CHANGED, f"The recipe {recipe.name} was run."
        else:
            verdict = Verdict.GAVE_UP
            summary = f"The recipe {recipe.name} does not work here: {ending(evidence)}. Correct it in .entropy.toml."
        return Outcome(verdict=verdict, engine=self.name, summary=summary, evidence=(evidence,))
