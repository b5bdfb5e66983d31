"""Webhooks between real processes: what the forge tells is looked at at once, and what it fails to tell is found."""

import json

from entropy.state.announcements import Announcement
from tests.e2e.cluster import NAME, Cluster

QUEUES = "coder.control,scheduling"
SECRET = "It's a Secret to Everybody"
EVENTS = ["issues", "issue_comment", "pull_request", "push"]


def test_a_label_starts_a_run_at_once_although_nobody_asks_the_forge(cluster: Cluster) -> None:
    number = _prepared(cluster, interval="3600")
    _claimed(cluster, number)
    assert {line["status"] for line in _received(cluster)} == {202}


def test_a_webhook_that_is_lost_is_not_missed(cluster: Cluster) -> None:
    number = _prepared(cluster, interval="1")
    before = len(_received(cluster))
    cluster.go_wrong(effect="lose_webhook")
    cluster.start("beat", "beat", environment=cluster.shared())
    _claimed(cluster, number)
    assert len(_received(cluster)) == before


def test_a_webhook_that_comes_twice_starts_one_run(cluster: Cluster) -> None:
    number = _prepared(cluster, interval="3600")
    cluster.go_wrong(effect="double_webhook")
    _claimed(cluster, number)
    cluster.until(lambda: 200 in {line["status"] for line in _received(cluster)}, what="a delivery came twice")
    assert len(cluster.celery("runs", "list").stdout.split(f"{NAME}#")) == 2


def test_without_a_secret_the_receiver_says_what_is_missing(cluster: Cluster) -> None:
    done = cluster.celery("webhooks", "--port", "0")
    assert done.returncode == 1
    assert "scheduler_webhook_secret" in done.stderr
    assert "Traceback" not in done.stderr


def _prepared(cluster: Cluster, *, interval: str) -> int:
    """A worker, a receiver that the forge tells of everything, and an issue without a label."""
    secret = cluster.folder / "secrets" / "scheduler_webhook_secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    environment = cluster.control() | {"ENTROPY_SCHEDULING__INTERVAL": interval}
    receiver = cluster.start("webhooks", "webhooks", "--port", "0", environment=environment)
    number = cluster.file_issue("Add headers", "recipe:header").number
    cluster.worker("control", QUEUES, environment)
    cluster.until(lambda: "entropy.scheduling.tick" in _done(cluster), what="the worker discovers")
    cluster.until(lambda: "http://" in receiver.log.read_text(), what="webhooks are received")
    address = "http" + receiver.log.read_text().partition("http")[2].partition(";")[0]
    cluster.repository.create_hook("web", {"url": address, "secret": SECRET, "content_type": "json"}, EVENTS)
    cluster.until(lambda: _received(cluster), what="the forge pings")
    return int(number)


def _claimed(cluster: Cluster, number: int) -> None:
    """Label the issue; return when its claim is taken."""

    def wanted(told: Announcement) -> bool:
        return (told.item, told.stage, told.state) == (f"{NAME}#{number}", "claim", "finished")

    cluster.hear(wanted, after=lambda: cluster.repository.get_issue(number).add_to_labels("entropy:code"))


def _done(cluster: Cluster) -> str:
    """The tasks that the worker has done."""
    return " ".join(str(line["message"]) for line in cluster.log("control") if "succeeded" in str(line["message"]))


def _received(cluster: Cluster) -> list[dict[str, object]]:
    text = (cluster.folder / "logs" / "webhooks.log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]
    return [line for line in lines if line["message"] == "webhook"]
