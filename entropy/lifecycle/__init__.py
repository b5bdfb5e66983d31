"""An agent's life in five stages; ``from entropy.lifecycle import start`` begins one by hand."""

from entropy.lifecycle.starting import start

__all__ = ["start"]
