"""How long what belongs to runs is there at the most, in seconds."""

LIFETIME = 7 * 86400
"""After which an artifact goes even if its run never ended, and after which a snapshot is lent to no further run."""

STRAY = 2 * LIFETIME
"""After which nobody can be using an object any more: lent on its last day, to a run that lasts as long as it may."""
