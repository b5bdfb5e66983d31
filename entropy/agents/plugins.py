"""What other distributions add to the tables of this package, by entry points."""

from importlib.metadata import entry_points
from typing import Any

from entropy.errors import ConfigurationError


def load_plugins(group: str) -> tuple[Any, ...]:
    """The objects behind a group's entry points, in the order of their names."""
    loaded = []
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            loaded.append(point.load())
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(
                f"The entry point {point.name} of {group} cannot be loaded: {error}. "
                "Correct or uninstall the package that brings it."
            ) from error
    return tuple(loaded)
