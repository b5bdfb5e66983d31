"""Which roles there are and which label hands an item to which."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Self

from entropy.agents.base import BaseAgent
from entropy.agents.engines.table import load_engines
from entropy.agents.plugins import load_plugins
from entropy.agents.roles.coder import Coder
from entropy.agents.roles.merger import Merger
from entropy.agents.roles.reviewer import Reviewer
from entropy.errors import ConfigurationError, UnknownRole
from entropy.settings import EngineSettings

GROUP = "entropy.agents"
"""Entry points of other distributions: each a `BaseAgent` class."""

BUILT_IN: tuple[type[BaseAgent], ...] = (
    Coder,
    Reviewer,
    Merger,
)

RESERVED = ("scheduler", "scheduling")
"""Names that secrets and queues give to discovery."""

_ROLE = re.compile(r"[a-z][a-z0-9-]*")


class AgentRegistry:
    """Maps roles to agents."""

    def __init__(self, agents: Iterable[BaseAgent]) -> None:
        self._agents: dict[str, BaseAgent] = {}
        self._triggers: dict[str, str] = {}
        for agent in agents:
            self._add(agent)

    @classmethod
    def load(cls, settings: EngineSettings) -> Self:
        """The built-in agents and those of installed entry points. Reads no file and needs no service."""
        engines = load_engines(settings)
        return cls(agent(engines) for agent in BUILT_IN + _plugged_in())

    def roles(self) -> tuple[str, ...]:
        return tuple(self._agents)

    def agent(self, role: str) -> BaseAgent:
        if role not in self._agents:
            raise UnknownRole(f"There is no role {role!r}; the roles are {', '.join(self._agents)}.")
        return self._agents[role]

    def triggers(self) -> Mapping[str, str]:
        """Label → role."""
        return MappingProxyType(self._triggers)

    def _add(self, agent: BaseAgent) -> None:
        name = type(agent).__name__
        if not _ROLE.fullmatch(agent.role) or agent.role in RESERVED:
            raise ConfigurationError(f"{name} has the role {agent.role!r}; name it like 'release-notes'.")
        if agent.role in self._agents:
            other = type(self._agents[agent.role]).__name__
            raise ConfigurationError(f"{other} and {name} both have the role {agent.role!r}; rename one of them.")
        if agent.trigger in self._triggers:
            other = type(self._agents[self._triggers[agent.trigger]]).__name__
            raise ConfigurationError(
                f"{other} and {name} both start on the label {agent.trigger!r}; change one of them."
            )
        self._agents[agent.role] = agent
        self._triggers[agent.trigger] = agent.role


def _plugged_in() -> tuple[type[BaseAgent], ...]:
    found = load_plugins(GROUP)
    for agent in found:
        if not (isinstance(agent, type) and issubclass(agent, BaseAgent)):
            raise ConfigurationError(
                f"The entry points of {GROUP} have to name subclasses of BaseAgent; {agent!r} is none."
            )
    return found
