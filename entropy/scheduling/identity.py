"""Who discovers."""

SCHEDULER = "scheduler"
"""The identity that discovers; where no role is at hand it sets labels and answers commands, too."""
