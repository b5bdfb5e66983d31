"""Every role is a GitHub App of its own: an issue becomes a merged pull request, and gives its tokens back."""

from pathlib import Path

from tests.e2e.cluster import CONTROL, NAME, ROLES, SANDBOX, Cluster

GRANTED = {
    "actions": "read",
    "checks": "write",
    "contents": "write",
    "issues": "write",
    "pull_requests": "write",
    "statuses": "write",
}


def apps(cluster: Cluster) -> dict[str, str]:
    """An App per role, installed on all that there is; what a control worker is told of them."""
    folder, numbers = cluster.folder / "keys", {}
    folder.mkdir()
    for role in (*ROLES, "scheduler"):
        app = cluster.forge.store.add_app(f"App {role}")
        cluster.forge.store.install_app(app.id, NAME.partition("/")[0], None, GRANTED)
        numbers[role] = app.id
        key = folder / f"{role}_github_app_key"
        key.touch(mode=0o600)
        key.write_text(app.private_key_pem)
    return {
        "ENTROPY_GITHUB__APPS": ",".join(f"{role}={number}" for role, number in numbers.items()),
        "ENTROPY_GITHUB__REPOSITORIES": "",
        "ENTROPY_SECRETS__DIRECTORY": str(folder),
    }


def revoked(cluster: Cluster) -> list[str]:
    """Whose tokens were given back to the forge."""
    with cluster.forge.store.read() as db:
        rows = db.execute("SELECT login FROM journal WHERE method = 'DELETE' AND path LIKE '%/installation/token'")
        return [row["login"] for row in rows]


def test_an_issue_becomes_a_merged_pull_request_by_apps(cluster: Cluster) -> None:
    issue = cluster.file_issue("Add headers", "entropy:code", "recipe:header")
    control = cluster.control() | apps(cluster)
    cluster.worker("control", CONTROL, control)
    cluster.worker("sandbox", SANDBOX, cluster.sandbox())
    cluster.start("beat", "beat", environment=cluster.shared())
    cluster.reaper()
    cluster.until(lambda: cluster.repository.get_issue(issue.number).state == "closed", what="the issue is closed")
    (number,) = cluster.merged()
    pull = cluster.repository.get_pull(number)
    assert pull.user.login == "app-coder[bot]"
    assert [review.user.login for review in pull.get_reviews()] == ["app-reviewer[bot]"]
    assert pull.merged_by.login == "app-merger[bot]"
    bots = {f"app-{role}[bot]" for role in ROLES}
    cluster.until(lambda: bots <= set(revoked(cluster)), what="the token of each run is revoked")
    assert "ghs_" not in "".join(path.read_text() for path in Path(cluster.folder / "logs").iterdir())
