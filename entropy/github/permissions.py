"""What each role may do on the forge when it is a GitHub App: no more than its work needs."""

from collections.abc import Mapping

LEVELS = ("read", "write", "admin")

_READING = {"metadata": "read", "contents": "read", "checks": "read", "statuses": "read", "actions": "read"}
_TALKING = {"issues": "write", "pull_requests": "write"}

PERMISSIONS: Mapping[str, Mapping[str, str]] = {
    "scheduler": {**_READING, **_TALKING, "checks": "write", "actions": "write"},
    "coder": {**_READING, **_TALKING, "contents": "write", "checks": "write"},
    "reviewer": {**_READING, **_TALKING, "checks": "write", "statuses": "write"},
    "merger": {**_READING, **_TALKING, "contents": "write"},
}
"""Where no role is at hand, the scheduler sets labels, answers commands and has flaky checks run again."""

OTHERS: Mapping[str, str] = {**_READING, **_TALKING}
"""For roles that a plug-in adds: what a planner or a triager needs."""

WHOLE = frozenset({"scheduler"})
"""Roles whose token is for the whole installation: one for all, for ETags hold for one token only."""

LOOKING: Mapping[str, str] = {"metadata": "read"}
"""Enough to find out which repository a name means."""


def permissions(role: str, granted: Mapping[str, str]) -> dict[str, str]:
    """What to ask for, as far as the installation was granted it; more would be refused as a whole."""
    return narrowed(PERMISSIONS.get(role, OTHERS), granted)


def reading(wanted: Mapping[str, str]) -> dict[str, str]:
    """The same without any right to write."""
    return dict.fromkeys(wanted, "read")


def narrowed(wanted: Mapping[str, str], granted: Mapping[str, str]) -> dict[str, str]:
    return {
        name: min(level, granted[name], key=LEVELS.index)
        for name, level in wanted.items()
        if granted.get(name) in LEVELS
    }
