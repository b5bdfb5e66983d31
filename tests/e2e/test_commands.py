"""Commands in comments, to a whole installation."""

from tests.e2e.cluster import Cluster
from tests.e2e.test_trust import executed, join


def test_a_comment_has_an_issue_done(cluster: Cluster) -> None:
    issue = cluster.file_issue("Add headers", "recipe:header")
    comment = issue.create_comment("Agents, please.\n\n/entropy code")
    cluster.split()
    cluster.until(lambda: cluster.repository.get_issue(issue.number).state == "closed", what="the issue is closed")
    assert len(cluster.merged()) == 1
    assert [each.content for each in comment.get_reactions()] == ["eyes", "rocket"]


def test_a_command_of_an_outsider_is_refused_once_and_starts_nothing(cluster: Cluster) -> None:
    join(cluster, "mallory", "read")
    issue = cluster.file_issue("Do it", "recipe:header")
    hers = cluster.as_person("mallory").get_issue(issue.number)
    comments = [hers.create_comment("/entropy code") for _ in range(2)]
    cluster.split()
    cluster.until(
        lambda: all([each.content for each in comment.get_reactions()] == ["confused"] for comment in comments),
        what="both commands are answered",
    )
    answers = [body for author, body in cluster.comments(issue.number) if author.startswith("entropy-")]
    assert len(answers) == 1
    assert "of people who may write to this repository, and of nobody else" in answers[0]
    assert cluster.labels(issue.number) == {"recipe:header"}
    assert not executed(cluster)


def test_a_command_is_answered_once_though_redis_forgets_everything(cluster: Cluster) -> None:
    issue = cluster.file_issue("Do it", "recipe:header")
    comment = issue.create_comment("/entropy explain")
    cluster.split()
    cluster.until(lambda: comment.get_reactions().totalCount == 2, what="the command is answered")
    cluster.forget()
    later = issue.create_comment("/entropy plan")
    cluster.until(lambda: later.get_reactions().totalCount == 2, what="the next command is answered, too")
    answers = [body for author, body in cluster.comments(issue.number) if author.startswith("entropy-")]
    assert [("No label hands it" in body, "Nobody here does `plan` yet" in body) for body in answers] == [
        (True, False),
        (False, True),
    ]
