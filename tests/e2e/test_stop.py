"""What people do in the middle of a run: stop it, close it, delete their words, push over it."""

from entropy.models import Stage
from tests.e2e.cluster import NAME, Cluster, git
from tests.e2e.test_interventions import sandboxes, unfinished
from tests.e2e.test_recovery import filed_and_executing, said


def test_the_label_stop_kills_a_running_sandbox(cluster: Cluster) -> None:
    issue = at_work(cluster)
    cluster.repository.get_issue(issue).add_to_labels("entropy:stop")
    gone(cluster)
    cluster.until(lambda: cluster.labels(issue) == {"recipe:long", "entropy:stop"}, what="the trigger is taken away")
    ((author, body),) = cluster.comments(issue)
    assert author == "entropy-coder"
    assert "**The coder was stopped.**" in body
    assert "The label `entropy:stop` was set. Agents leave this alone until it is gone." in body
    assert "the lease is lost; its stage is stopped" in said(cluster, "sandbox")
    assert "run stopped by a person" in said(cluster, "control")


def test_the_command_stop_kills_a_running_sandbox(cluster: Cluster) -> None:
    issue = at_work(cluster)
    comment = cluster.repository.get_issue(issue).create_comment("/entropy stop")
    gone(cluster)
    cluster.until(lambda: cluster.labels(issue) == {"recipe:long", "entropy:stop"}, what="the trigger is taken away")
    cluster.until(lambda: comment.get_reactions().totalCount == 2, what="the command is answered")
    assert [each.content for each in comment.get_reactions()] == ["eyes", "rocket"]


def test_an_issue_that_is_closed_in_the_middle_is_left_with_one_clear_comment(cluster: Cluster) -> None:
    issue = at_work(cluster)
    cluster.repository.get_issue(issue).edit(state="closed")
    gone(cluster)
    cluster.until(lambda: cluster.labels(issue) == {"recipe:long"}, what="the trigger is taken away")
    ((_, body),) = cluster.comments(issue)
    assert "This issue was closed." in body
    cluster.until(lambda: not unfinished(cluster), what="the run is over")
    # Nothing is lost: opened and labelled again, it is worked on again.
    cluster.repository.get_issue(issue).edit(state="open")
    cluster.hear(
        lambda told: (told.stage, told.state) == (Stage.EXECUTE, "started"),
        after=lambda: cluster.repository.get_issue(issue).add_to_labels("entropy:code"),
    )


def test_a_comment_of_the_agent_that_is_deleted_in_the_middle_is_written_again(cluster: Cluster) -> None:
    cluster.split()
    issue = filed_and_executing(cluster, "recipe:slow")
    (status,) = cluster.repository.get_issue(issue).get_comments()
    status.delete()
    cluster.until(lambda: cluster.repository.get_issue(issue).state == "closed", what="the issue is closed")
    assert len(cluster.merged()) == 1
    ((author, _),) = cluster.comments(issue)
    assert author == "entropy-coder"


def test_a_branch_that_is_pushed_over_in_the_middle_is_left_to_whoever_did(cluster: Cluster) -> None:
    """The reviewer is at work on the coder's pull request when a person force-pushes to it."""
    slow = 'test = ["sh", "-c", "case $PWD in /tmp/*) ;; *) sleep 100;; esac"]'  # quick for the coder, who tests a copy
    cluster.push({".entropy.toml": config(cluster, slow)}, branch=cluster.repository.default_branch)
    cluster.split()
    cluster.hear(
        lambda told: (told.role, told.stage, told.state) == ("reviewer", Stage.EXECUTE, "started"),
        after=lambda: cluster.file_issue("Add headers", "entropy:code", "recipe:header"),
        seconds=120,
    )
    (pull,) = cluster.repository.get_pulls()
    head = overwrite(cluster, pull.head.ref)
    cluster.until(lambda: "entropy:handed-over" in cluster.labels(pull.number), what="the branch is handed over")
    gone(cluster)
    bodies = [body for _, body in cluster.comments(pull.number) if "entropy:handover" in body]
    assert len(bodies) == 1
    assert f"pushed {head[:12]} to this branch, so it is theirs now" in bodies[0]
    assert cluster.repository.get_branch(pull.head.ref).commit.sha == head
    assert pull.get_reviews().totalCount == 0


def at_work(cluster: Cluster) -> int:
    cluster.split()
    issue = filed_and_executing(cluster, "recipe:long")
    cluster.until(lambda: sandboxes(cluster), what="the sandbox is there")
    return issue


def gone(cluster: Cluster) -> None:
    cluster.until(lambda: not sandboxes(cluster), what="the sandbox is gone")


def config(cluster: Cluster, test: str) -> str:
    """The repository's configuration with another test command for the reviewer."""
    lines = cluster.repository.get_contents(".entropy.toml").decoded_content.decode().splitlines()
    return "\n".join([test, *lines[1:]])


def overwrite(cluster: Cluster, branch: str) -> str:
    """Force-push to a branch, as the person; gives the new head."""
    clone = cluster.folder / "overwriting"
    token = (cluster.folder / "secrets" / "ada").read_text()
    git("clone", "-q", cluster.forge.remote(NAME, token), str(clone), at=cluster.folder)
    git("checkout", "-q", "-b", branch, at=clone)
    (clone / "widgets" / "mine.py").write_text("mine = True\n")
    git("add", "-A", at=clone)
    git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "Mine", at=clone)
    git("push", "-q", "--force", "origin", branch, at=clone)
    return git("rev-parse", "HEAD", at=clone).strip()
