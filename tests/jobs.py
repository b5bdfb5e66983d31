"""A failed job of GitHub Actions in the embedded forge: a check run of the app of that name, with a log."""

from entropy.forge.apps import slug_of
from entropy.forge.records import apps, repositories, statuses, suites, users
from entropy.forge.store import Store

ENDED = "2026-11-22T10:00:00Z"


def failed_job(
    store: Store,
    repository: str,
    commit: str,
    *,
    log: bytes | None = None,
    ended: str = ENDED,
    app: str = "GitHub Actions",
) -> int:
    """The id of the check run ``build``, which is the job's; without a log there is none any more."""
    with store.read() as db:
        known = apps.named(db, slug_of(app))
    if known is None:
        store.add_app(app, owner="github")
    with store.write() as db:
        home, bot = repositories.named(db, repository), users.named(db, f"{slug_of(app)}[bot]")
        assert home is not None
        assert bot is not None
        place, told = (home["id"], commit), dict.fromkeys(statuses.CHECK_FIELDS)
        told |= {"name": "build", "status": "completed", "conclusion": "failure", "started": ended, "completed": ended}
        suites.ensure(db, place, bot["id"])
        run = int(statuses.create_run(db, place, bot["id"], told)["id"])
    store.attach_log(run, log)
    return run
