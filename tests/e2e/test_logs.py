"""What processes log in the course of a run: JSON on every line, about the run, without a secret."""

from tests.e2e.cluster import Cluster


def test_every_line_is_json_about_its_run_and_holds_no_secret(cluster: Cluster) -> None:
    issue = cluster.file_issue("Add headers", "entropy:code", "recipe:header")
    cluster.split()
    cluster.until(lambda: ("merger", "cleanup") in finished(cluster), what="the merger's run is over")
    assert cluster.repository.get_issue(issue.number).state == "closed"
    tokens = [path.read_text() for path in (cluster.folder / "secrets").iterdir()]
    for name in ("control", "sandbox", "beat", "reaper"):
        text = (cluster.folder / "logs" / f"{name}.log").read_text()
        assert not [token for token in tokens if token in text]
        assert ":test@" not in text, "the password of Redis"
        assert all({"time", "level", "logger", "message"} <= set(line) for line in cluster.log(name))
    stages = [line for line in cluster.log("control") + cluster.log("sandbox") if line["message"] == "stage finished"]
    known = {"run_id", "generation", "role", "stage", "item", "task_id", "root_id", "task", "seconds", "outcome"}
    assert all(known <= set(line) for line in stages)
    assert finished(cluster) == {
        (role, stage)
        for role in ("coder", "reviewer", "merger")
        for stage in ("initialize", "claim", "execute", "report", "cleanup")
    }
    assert {line["stage"] for line in cluster.log("sandbox") if line["message"] == "stage finished"} == {"execute"}


def finished(cluster: Cluster) -> set[tuple[object, object]]:
    lines = [line for name in ("control", "sandbox") for line in cluster.log(name)]
    return {(line["role"], line["stage"]) for line in lines if line["message"] == "stage finished"}
