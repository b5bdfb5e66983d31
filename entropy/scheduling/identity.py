"""Who discovers."""

SCHEDULER = "scheduler"
"""The identity that discovers; it may read and nothing more."""
