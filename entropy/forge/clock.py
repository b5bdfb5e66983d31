"""The forge's one clock and how it writes time."""

from datetime import UTC, datetime

FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> str:
    """UTC in whole seconds, as GitHub writes it."""
    return datetime.now(UTC).strftime(FORMAT)


def parse(text: str) -> str | None:
    """Any ISO 8601 time in the forge's own form; None where it is not a time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).strftime(FORMAT)
    except (OverflowError, ValueError):
        return None
