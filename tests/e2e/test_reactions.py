"""What happens on an agent's pull request comes back to the agents."""

from pathlib import Path

from github.PullRequest import PullRequest

from entropy.github import GitHub
from entropy.models import Secret, WorkItem
from entropy.settings import GitHubSettings
from tests.e2e.cluster import NAME, SANDBOX, Cluster, git

OTHERWISE = "# By hand\ndef double(n):\n    return n * 2\n"
WITHOUT_MERGER = "coder.control,reviewer.control,scheduling"


RECORDING = """
repository = "acme/widgets"
title = "Treble"

[[attempt]]
summary = "Add treble."

[[attempt.step]]
write = "widgets/treble.py"
content = "def treble(n):\\n    return n + n + n\\n"

[[attempt]]
summary = "Multiply instead."

[[attempt.step]]
edit = "widgets/treble.py"
replace = "n + n + n"
with = "n * 3"
"""


def start(cluster: Cluster, *, recordings: Path | None = None) -> None:
    """Everything but the merger, so that a person has the time to say something."""
    more = {"ENTROPY_ENGINES__RECORDINGS": str(recordings)} if recordings else {}
    cluster.worker("control", WITHOUT_MERGER, cluster.control())
    cluster.worker("sandbox", SANDBOX, cluster.sandbox() | more)
    cluster.beat()
    cluster.reaper()


def approved(cluster: Cluster) -> PullRequest:
    """The pull request, once it is approved and waits for the merger."""
    cluster.until(lambda: waiting(cluster), what="a pull request waits for the merger")
    return waiting(cluster)[0]


def waiting(cluster: Cluster) -> list[PullRequest]:
    return [pull for pull in cluster.repository.get_pulls() if "entropy:merge" in cluster.labels(pull.number)]


def closed(cluster: Cluster, number: int) -> bool:
    return bool(cluster.repository.get_issue(number).state == "closed")


def on_main(cluster: Cluster, path: str) -> str:
    git("clone", "-q", cluster.forge.remote(NAME), "merged", at=cluster.folder)
    return (cluster.folder / "merged" / path).read_text()


def test_a_change_that_conflicts_with_its_base_is_made_again_on_the_new_base_and_merged(cluster: Cluster) -> None:
    issue = cluster.file_issue("Add headers", "entropy:code", "recipe:header")
    start(cluster)
    pull = approved(cluster)
    first = pull.head.sha
    cluster.push({"widgets/__init__.py": OTHERWISE}, branch=cluster.repository.default_branch)
    cluster.until(lambda: pull.update() and pull.head.sha != first, what="the branch is made anew")
    cluster.until(lambda: waiting(cluster), what="it is approved again")
    cluster.worker("merger", "merger.control", cluster.control())
    cluster.until(lambda: closed(cluster, issue.number), what="the issue is closed")
    assert cluster.merged() == [pull.number]
    assert on_main(cluster, "widgets/__init__.py") == f"# SPDX: MIT\n{OTHERWISE}"
    (body,) = [body for who, body in cluster.comments(pull.number) if who == "entropy-coder"]
    assert "**Made again** on" in body


def test_a_red_check_of_somebody_else_is_worked_on_as_often_as_allowed_and_then_a_person_is_asked(
    cluster: Cluster,
) -> None:
    cluster.file_issue("Slowly", "entropy:code", "recipe:slow")
    start(cluster)
    pull = approved(cluster)
    cluster.repository.get_commit(pull.head.sha).create_status("failure", context="lint", description="Too slow.")
    cluster.until(lambda: "entropy:parked" in cluster.labels(pull.number), what="the pull request is parked")
    assert cluster.labels(pull.number) == {"entropy:parked"}
    tries = [line for line in cluster.log("sandbox") if line["message"] == "stage started" and line["role"] == "coder"]
    assert len(tries) == 1 + 2, "the change, and two tries to put it right"
    (body,) = [body for who, body in cluster.comments(pull.number) if who == "entropy-coder"]
    assert "nothing differs" in body
    assert pull.head.sha == cluster.repository.get_pull(pull.number).head.sha


def test_what_a_person_says_at_a_line_is_done_answered_settled_and_merged(cluster: Cluster) -> None:
    recordings = cluster.folder / "recordings"
    recordings.mkdir()
    (recordings / "treble.toml").write_text(RECORDING)
    issue = cluster.file_issue("Treble", "entropy:code")
    start(cluster, recordings=recordings)
    pull = approved(cluster)
    commit = cluster.repository.get_commit(pull.head.sha)
    remark = pull.create_review_comment("Multiply, please.", commit, "widgets/treble.py", line=2)
    cluster.until(lambda: pull.update() and pull.head.sha != commit.sha, what="the rework is pushed")
    cluster.until(lambda: waiting(cluster), what="it is approved again")
    cluster.worker("merger", "merger.control", cluster.control())
    cluster.until(lambda: closed(cluster, issue.number), what="the issue is closed")
    assert cluster.merged() == [pull.number]
    assert on_main(cluster, "widgets/treble.py") == "def treble(n):\n    return n * 3\n"
    (answer,) = [each for each in pull.get_review_comments() if each.id != remark.id]
    assert (answer.user.login, answer.in_reply_to_id) == ("entropy-coder", remark.id)
    assert f"Changed in {pull.head.sha}: Multiply instead." in answer.body
    with GitHub(GitHubSettings(api=cluster.forge.api), Secret((cluster.folder / "secrets" / "ada").read_text())) as ada:
        (thread,) = ada.threads.of(WorkItem(repository=NAME, number=pull.number))
    assert thread.resolved


def test_where_the_branch_has_a_merge_queue_the_pull_request_goes_through_it(cluster: Cluster) -> None:
    ruleset = {
        "name": "queue",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "merge_queue", "parameters": {"merge_method": "MERGE"}}],
    }
    repository = cluster.repository
    repository.requester.requestJsonAndCheck("POST", f"{repository.url}/rulesets", input=ruleset)
    issue = cluster.file_issue("Add headers", "entropy:code", "recipe:header")
    cluster.split()
    cluster.until(lambda: closed(cluster, issue.number), what="the issue is closed")
    (number,) = cluster.merged()
    happened = [event.event for event in repository.get_issue(number).get_timeline()]
    assert happened.count("added_to_merge_queue") == 1
    assert happened.count("merged") == 1
