"""Stage 1: may this run happen at all, and on which commit?"""

from entropy.items import Item
from entropy.lifecycle.adoption import adopt
from entropy.lifecycle.conclude import conclude
from entropy.lifecycle.surroundings import starting_commit
from entropy.models import Run, Verdict
from entropy.wiring import Toolbox


def initialize(run: Run, tools: Toolbox) -> Run:
    """Check role, secrets and item; fix the commit that the whole run is about."""
    tools.agents.agent(run.role)
    forge = tools.github(run.role)
    item = forge.issues.get(run.item)
    reason = _obsolete(run, item)
    if reason:
        return conclude(run, Verdict.SUPERSEDED, reason)
    if (adopted := adopt(run, item, tools)) is not None:
        return adopted
    return run.evolve(base_commit=starting_commit(run, item, tools))


def _obsolete(run: Run, item: Item) -> str | None:
    if not item.open:
        return f"{run.item} is closed."
    if item.locked:
        return f"{run.item} is locked."
    if run.trigger is not None and run.trigger not in item.labels:
        return f"The label {run.trigger} is gone from {run.item}."
    return None
