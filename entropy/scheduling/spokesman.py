"""Who speaks for all agents: on the forge, somebody has to answer what nobody's run is about."""

from entropy.scheduling.identity import SCHEDULER
from entropy.wiring import Toolbox


def spokesman(tools: Toolbox) -> str:
    """The first role whose credentials this process has; where it has none, the one that looks."""
    return next((role for role in tools.agents.roles() if role in tools.identities), SCHEDULER)
