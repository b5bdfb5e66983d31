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

    def permission(self, repository: str, login: str) -> str:
        """String with expiry: what somebody may do in a repository."""
        return f"{self.prefix}:permission:{repository}:{login}"

    @property
    def names(self) -> str:
        """Hash: the login of each role, for workers that hold another role's credentials."""
        return f"{self.prefix}:names"

    def answer(self, comment: int) -> str:
        """String with expiry: a command is being obeyed, or was."""
        return f"{self.prefix}:answer:{comment}"

    @property
    def watch(self) -> str:
        """String with expiry: the items at work were looked at not long ago."""
        return f"{self.prefix}:watch"

    def rerun(self, place: str) -> str:
        """String with expiry: when the failed check was completed that was asked to run again."""
        return f"{self.prefix}:rerun:{place}"

    def rerun_wait(self, place: str) -> str:
        """String with expiry: that check may still come out differently."""
        return f"{self.prefix}:rerun-wait:{place}"

    def artifacts(self, run_id: str) -> str:
        """Hash: a run's artifacts by digest."""
        return f"{self.prefix}:artifacts:{run_id}"

    def places(self, run_id: str) -> str:
        """Hash: where a run's artifacts lie that are too large for the hash of artifacts, by digest."""
        return f"{self.prefix}:artifacts:{run_id}:places"

    @property
    def objects(self) -> str:
        """Sorted set: where large artifacts lie and what each is a snapshot of, by the time, in milliseconds,

        from which it may be thrown away.
        """
        return f"{self.prefix}:objects"

    def object(self, name: str) -> str:
        """String with expiry: the content of a large artifact that lies in Redis."""
        return f"{self.prefix}:object:{name}"

    def snapshot(self, source: str) -> str:
        """Hash with expiry: place and digest of the snapshot of a commit of a repository."""
        return f"{self.prefix}:snapshot:{source}"

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

    @property
    def repositories(self) -> str:
        """Sorted set: the repositories that are served, by the time, in milliseconds, of their next look."""
        return f"{self.prefix}:repositories"

    @property
    def stirred(self) -> str:
        """Sorted set: repositories by the time, in milliseconds, at which something was last seen to move there."""
        return f"{self.prefix}:stirred"

    def sight(self, repository: str) -> str:
        """Hash with expiry: what was seen of a repository: ETags by question, last changes by number."""
        return f"{self.prefix}:sight:{repository}"

    @property
    def roster(self) -> str:
        """Hash with expiry: the pages of an installation's list of repositories, with their ETags."""
        return f"{self.prefix}:roster"

    @property
    def looks(self) -> str:
        """Sorted set: items that changed by the time, in milliseconds, from which they are to be looked at."""
        return f"{self.prefix}:looks"

    @property
    def told(self) -> str:
        """Hash: how often an item was said to have changed since it was last looked at."""
        return f"{self.prefix}:looks:told"

    @property
    def lookers(self) -> str:
        """Hash: who looks at an item."""
        return f"{self.prefix}:looks:lookers"

    @property
    def waiting(self) -> str:
        """Set: repositories with items that wait for room."""
        return f"{self.prefix}:waiting"

    def waiting_in(self, repository: str) -> str:
        """Sorted set: what waits for room in a repository, as ``number:label``, by the number."""
        return f"{self.prefix}:waiting:{repository}"

    @property
    def sweep(self) -> str:
        """String with expiry: who sweeps."""
        return f"{self.prefix}:sweep"

    @property
    def pace(self) -> str:
        """String with expiry: how many times slower than usual the forge wants to be asked."""
        return f"{self.prefix}:pace"

    def turn(self, name: str) -> str:
        """String with expiry: what is done every so often has been done not long ago."""
        return f"{self.prefix}:turn:{name}"

    def delivery(self, delivery: str) -> str:
        """String with expiry: this delivery of a webhook was taken in."""
        return f"{self.prefix}:delivery:{delivery}"

    @property
    def called(self) -> str:
        """String with expiry: a message that has hints looked at is on its way."""
        return f"{self.prefix}:called"

    @property
    def heard(self) -> str:
        """String with expiry: an App's webhook, which tells of every repository, has arrived not long ago."""
        return f"{self.prefix}:heard"

    def limit(self, identity: str, part: str) -> str:
        """What the forge's limits are counted by, all with expiry: ``paused`` (string), ``budget:<resource>`` (hash),

        ``flying:<resource>``, ``writes``, ``content``, ``room`` and ``seats`` (sorted sets of turns by milliseconds).
        """
        return f"{self.prefix}:limit:{identity}:{part}"

    def token(self, name: str, part: str) -> str:
        """An App's token: ``sealed`` and ``making`` (strings with expiry), ``users`` (set of run ids with expiry)."""
        return f"{self.prefix}:token:{name}:{part}"
