"""What sandboxes have on a machine, live or left over, for people and reapers to look at."""

from enum import StrEnum

from entropy.models import Noun


class Kind(StrEnum):
    """The sorts of things that a sandbox is made of."""

    CONTAINER = "container"
    POD = "pod"
    TASK = "task"
    OBJECTS = "objects"
    VOLUME = "volume"
    FOLDER = "folder"
    CONTROL_GROUP = "cgroup"
    PROCESS = "process"
    SOCKET = "socket"
    CACHE = "cache"


class Belonging(Noun):
    """One thing of one sandbox."""

    kind: Kind
    name: str
    run: str
    """The name of the run's generation; empty where nothing tells any more."""
    since: float
    """Seconds since 1970, on the clock of the machine that holds it."""
