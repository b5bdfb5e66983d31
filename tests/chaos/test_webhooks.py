"""What becomes of webhooks is told from the forge's own record, and each end by its own name."""

from pathlib import Path

from entropy.forge.deliverer import LOST
from entropy.forge.records import deliveries, hooks, repositories
from entropy.forge.records.deliveries import Message, Receipt
from entropy.forge.store import Store
from tests.chaos import webhooks
from tests.chaos.schedule import EACH, Pace, webhook_faults
from tests.chaos.work import Task, seed

SENT = {"X-GitHub-Event": "issues"}
ENDS = {
    "delivered": Receipt("OK", 202, request_headers=SENT),
    "delivered twice": Receipt("OK", 200, request_headers=SENT),
    "lost": LOST,
    "nobody there": Receipt("failed to connect to host", 502, request_headers=SENT),
    "refused": Receipt("Invalid HTTP Response: 503", 503, request_headers=SENT),
}
HOOK = {"active": True, "events": ["*"], "url": "http://127.0.0.1:1/webhooks", "content_type": "json"}


def test_each_end_of_a_webhook_is_counted(tmp_path: Path) -> None:
    with Store(tmp_path / "forge") as store:
        seed(store, tmp_path / "secrets", (Task("acme/chaos-0", 1, 0),), trigger="entropy:code")
        with store.write() as db:
            home = repositories.named(db, "acme/chaos-0")
            assert home is not None
            values = {**HOOK, "secret": None, "insecure_ssl": "0"}
            hook = hooks.create(db, (home["id"], None), values, origin="http://127.0.0.1:1")
            for event in ("ping", *["issues"] * (len(ENDS) + 1)):
                deliveries.post(db, hook["id"], Message(event, {}, home["id"]))
            ping, *rest, _ = deliveries.waiting(db)
            for row, receipt in zip((ping, *rest), (Receipt("OK", 202), *ENDS.values()), strict=True):
                deliveries.record(db, row["id"], receipt)
    assert webhooks.deliveries(tmp_path / "forge") == {"all": 6, "waiting": 1, **dict.fromkeys(ENDS, 1)}


def test_webhooks_go_wrong_only_where_that_is_asked_for() -> None:
    asked = {names: [rule["effect"] for rule in webhook_faults(names, 1)] for names in (EACH, frozenset({"beat"}))}
    assert asked == {Pace().recurring: ["lose_webhook", "double_webhook"], frozenset({"beat"}): []}
