"""What starts runs, and what takes them up again; ``from entropy.scheduling import discover`` from a shell."""

from entropy.scheduling.discovery import discover

__all__ = ["discover"]
