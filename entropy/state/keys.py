"""The names of all Redis keys; built here and nowhere else."""

from entropy.models import WorkItem


class Keys:
    """Key names under one installation's prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def run(self, run_id: str) -> str:
        """Hash: a run's record, stage, generation, attempts and lease."""
        return f"{self.prefix}:run:{run_id}"

    @property
    def live(self) -> str:
        """Sorted set: ids of unfinished runs by the time, in milliseconds, at which they are overdue."""
        return f"{self.prefix}:live"

    @property
    def finished(self) -> str:
        """Sorted set: ids of finished runs by the time, in milliseconds, of their end."""
        return f"{self.prefix}:finished"

    def live_of(self, repository: str) -> str:
        """Set: ids of a repository's unfinished runs."""
        return f"{self.prefix}:live:{repository}"

    def active(self, item: WorkItem, role: str) -> str:
        """String: the unfinished run of this role on this item."""
        return f"{self.prefix}:active:{item}:{role}"

    def claim(self, item: WorkItem) -> str:
        """String: the run that holds this item."""
        return f"{self.prefix}:claim:{item}"

    def hold(self, item: WorkItem, role: str) -> str:
        """String with expiry: how often in a row this item was handed to this role and did not move."""
        return f"{self.prefix}:hold:{item}:{role}"

    def idle(self, item: WorkItem, role: str) -> str:
        """String with expiry: the same count, outliving the hold."""
        return f"{self.prefix}:idle:{item}:{role}"

    @property
    def tick(self) -> str:
        """String with expiry: the last regular discovery was not long ago."""
        return f"{self.prefix}:tick"

    def artifacts(self, run_id: str) -> str:
        """Hash: a run's artifacts by digest."""
        return f"{self.prefix}:artifacts:{run_id}"

    def intents(self, run_id: str) -> str:
        """Hash: a run's outside writes by name, with their results; empty while it is not known."""
        return f"{self.prefix}:intents:{run_id}"

    @property
    def announcements(self) -> str:
        """Channel: what happens to runs, as it happens."""
        return f"{self.prefix}:announcements"

    def wake(self, announcement: str) -> str:
        """String with expiry: this announcement has already woken discovery."""
        return f"{self.prefix}:wake:{announcement}"
