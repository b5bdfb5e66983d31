"""What an agent may not do: refused, told on the issue, nothing pushed."""

import pytest

from tests.e2e.cluster import CONTROL, SANDBOX, Cluster

REFUSED = {
    "outside": "README.md",
    "symlink": "link.py",
    "workflow": ".github/workflows/x.yml",
    "many": "10000",
}


@pytest.mark.parametrize("recipe", REFUSED)
def test_a_change_that_breaks_a_rule_is_refused_and_nothing_is_pushed(cluster: Cluster, recipe: str) -> None:
    before = cluster.branches()
    issue = cluster.file_issue("Do it", "entropy:code", f"recipe:{recipe}")
    cluster.split()
    cluster.until(lambda: "entropy:parked" in cluster.labels(issue.number), what="the issue is parked")
    ((author, body),) = cluster.comments(issue.number)
    assert author == "entropy-coder"
    assert REFUSED[recipe] in body.replace(",", "")
    assert "set `entropy:code` again" in body
    assert cluster.branches() == before
    assert cluster.repository.get_pulls(state="all").totalCount == 0


@pytest.mark.parametrize(
    ("recipe", "why"),
    [("fails", "the tool broke"), ("unheard-of", "recipe:header")],
)
def test_an_agent_that_gives_up_says_so_on_the_issue(cluster: Cluster, recipe: str, why: str) -> None:
    issue = cluster.file_issue("Do it", "entropy:code", f"recipe:{recipe}")
    cluster.split()
    cluster.until(lambda: "entropy:parked" in cluster.labels(issue.number), what="the issue is parked")
    ((_, body),) = cluster.comments(issue.number)
    assert why in body
    assert cluster.labels(issue.number) == {"entropy:parked", f"recipe:{recipe}"}


def test_a_sandbox_that_cannot_be_had_is_tried_again_and_then_told(cluster: Cluster) -> None:
    broken = {"ENTROPY_SANDBOX__BACKEND": "docker", "ENTROPY_SANDBOX__DOCKER_HOST": f"unix://{cluster.folder}/nobody"}
    few = {"ENTROPY_SCHEDULING__MAX_ATTEMPTS": "2"}
    cluster.worker("control", CONTROL, cluster.control() | few)
    cluster.worker("sandbox", SANDBOX, cluster.sandbox() | broken | few)
    cluster.beat()
    cluster.reaper()
    issue = cluster.file_issue("Do it", "entropy:code", "recipe:header")
    cluster.until(lambda: "entropy:parked" in cluster.labels(issue.number), what="the issue is parked")
    ((_, body),) = cluster.comments(issue.number)
    assert "**The coder could not finish.**" in body
    assert "nobody" in body
    tries = [line for line in cluster.log("sandbox") if line["message"] == "stage started"]
    assert [line["attempt"] for line in tries] == [1, 2, 1, 2], "two runs of two tries each"


def test_an_agent_that_never_changes_anything_runs_twice_and_then_a_person_is_asked(cluster: Cluster) -> None:
    """Also when Redis forgets everything in between: the count stands on the item."""
    issue = cluster.file_issue("Do nothing", "entropy:code", "recipe:nothing")
    cluster.split()
    cluster.until(lambda: "will be tried again" in " ".join(map(str, cluster.comments(issue.number))), what="one try")
    cluster.forget()
    cluster.until(lambda: "entropy:parked" in cluster.labels(issue.number), what="the issue is parked")
    ((author, body),) = cluster.comments(issue.number)
    assert author == "entropy-coder"
    assert "nothing differs" in body
    assert "set `entropy:code` again" in body
    executed = [line for line in cluster.log("sandbox") if line["message"] == "stage finished"]
    assert len(executed) == 2
    again = len(executed)
    cluster.repository.get_issue(issue.number).remove_from_labels("entropy:parked")
    cluster.repository.get_issue(issue.number).add_to_labels("entropy:code")
    cluster.until(lambda: "entropy:parked" in cluster.labels(issue.number), what="a person asked for two more tries")
    assert len([line for line in cluster.log("sandbox") if line["message"] == "stage finished"]) == again + 2
