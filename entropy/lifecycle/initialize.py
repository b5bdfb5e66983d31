"""Stage 1: may this run happen at all, and on which commit?"""

from entropy.lifecycle.adoption import adopt
from entropy.lifecycle.gate import gate
from entropy.lifecycle.surroundings import starting_commit
from entropy.models import Run
from entropy.wiring import Toolbox


def initialize(run: Run, tools: Toolbox) -> Run:
    """Check role, secrets and item; fix the commit that the whole run is about."""
    tools.agents.agent(run.role)
    forge = tools.github(run.role)
    forge.use(run.item.repository, run.id)
    item = forge.issues.get(run.item)
    run = gate(run, item, tools)
    if run.outcome is not None:
        return run
    if (adopted := adopt(run, item, tools)) is not None:
        return adopted
    return run.evolve(base_commit=starting_commit(run, item, tools))
