"""The webhooks of a trial: the forge tells the receiver of everything, and its outbox says what arrived."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.chaos.installation import Installation

SECRET = "It's a Secret to Everybody"
NAME = "scheduler_webhook_secret"
TOLD = "SELECT status_code, request_headers FROM deliveries WHERE event != 'ping'"


def subscribe(there: Installation) -> None:
    """Have the forge tell the receiver of all that happens in each repository, signed."""
    secrets = there.folder / "secrets"
    (secrets / NAME).touch(mode=0o600)
    (secrets / NAME).write_text(SECRET)
    config = {"url": f"{there.receiver_url}/webhooks", "secret": SECRET, "content_type": "json"}
    for name in there.repositories:
        hook = {"name": "web", "events": ["*"], "config": config}
        there.forge("POST", f"/api/v3/repos/{name}/hooks", hook, token=(secrets / "ada").read_text())


def deliveries(data: Path) -> dict[str, int]:
    """How many webhooks the forge had to send, and how many of them came to what, by its own record."""
    with closing(sqlite3.connect(f"file:{data / 'forge.db'}?mode=ro", uri=True, timeout=30)) as db:
        ends = Counter(_end(*row) for row in db.execute(TOLD))
    return {"all": ends.total(), **dict(sorted(ends.items()))}


def _end(status: int | None, headers: str | None) -> str:
    if status is None:
        return "waiting"
    if status == 200:
        return "delivered twice"  # and the receiver knew it the second time
    if status < 300:
        return "delivered"
    if headers in (None, "{}"):
        return "lost"  # it was never sent
    return "nobody there" if status in {502, 504} else "refused"
