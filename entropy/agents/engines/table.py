"""Which engines there are, in the order in which the coder asks them."""

from entropy.agents.engines.engine import Engine
from entropy.agents.engines.recipe import RecipeEngine
from entropy.agents.engines.replay import ReplayEngine
from entropy.agents.plugins import load_plugins
from entropy.settings import EngineSettings

GROUP = "entropy.engines"
"""Entry points of other distributions: each a callable that makes an `Engine` from `EngineSettings`."""

BUILT_IN = (
    RecipeEngine,
    ReplayEngine,
)


def load_engines(settings: EngineSettings) -> tuple[Engine, ...]:
    engines: list[Engine] = [make(settings) for make in BUILT_IN]
    return tuple(engines + [make(settings) for make in load_plugins(GROUP)])
