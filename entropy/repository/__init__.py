"""Git on the control side: a mirror, snapshots out of it, and commits of patches that nobody vouches for."""

from entropy.repository.config import parse_config
from entropy.repository.mirror import Mirror
from entropy.repository.patch import PatchRules

__all__ = ["Mirror", "PatchRules", "parse_config"]
