"""Which queue a stage of a role is sent to; the privileges of a worker are the queues that it serves."""

from collections.abc import Iterable

from entropy.models import Stage

SCHEDULING = "scheduling"


def queue_of(stage: Stage, role: str) -> str:
    """``<role>`` for execute, where untrusted work happens; ``<role>.control`` for what holds credentials."""
    return role if stage is Stage.EXECUTE else f"{role}.control"


def queue_names(roles: Iterable[str]) -> tuple[str, ...]:
    """Every queue of an installation with these roles."""
    return (SCHEDULING, *(queue for role in roles for queue in (role, f"{role}.control")))
