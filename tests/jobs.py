"""A failed job of GitHub Actions in the embedded forge: a check run of the app of that slug, with a log."""

from entropy.forge.records import apps, repositories, statuses, suites, users
from entropy.forge.store import Store

NAME, SLUG = "GitHub Actions", "github-actions"


def failed_job(
    store: Store, repository: str, commit: str, *, name: str = "build", log: bytes | None = None, ended: str = ""
) -> int:
    """The id of the check run, which is the job's; without a log there is none any more."""
    with store.read() as db:
        known = apps.named(db, SLUG)
    if known is None:
        store.add_app(NAME, owner="github")
    with store.write() as db:
        home, bot = repositories.named(db, repository), users.named(db, f"{SLUG}[bot]")
        assert home is not None
        assert bot is not None
        place, moment = (home["id"], commit), ended or "2026-11-22T10:00:00Z"
        told = dict.fromkeys(statuses.CHECK_FIELDS) | {"name": name, "status": "completed", "conclusion": "failure"}
        suites.ensure(db, place, bot["id"])
        run = int(statuses.create_run(db, place, bot["id"], told | {"started": moment, "completed": moment})["id"])
    store.attach_log(run, log)
    return run
