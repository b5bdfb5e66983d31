"""One account's story against any forge: the embedded one always, another one when it is named.

``GITHUB_CONTRACT_TOKEN`` and ``GITHUB_CONTRACT_REPOSITORY`` (a scratch repository as ``owner/name`` that the token's
owner may write to, with at least one commit) have it run against ``GITHUB_CONTRACT_API``, github.com by default.
Without them nothing leaves this machine. It leaves a closed issue and a merged pull request behind.
"""

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from entropy.github import GitHub
from entropy.models import Secret, Verdict, WorkItem
from entropy.repository.mirror import Mirror
from entropy.repository.patch import PatchRules
from entropy.settings import GitHubSettings, RepositorySettings
from tests.contract.contract import github
from tests.contract.validator import unexcused
from tests.forge_server import running_forge
from tests.integration.github.between import Between, between

NAME = uuid.uuid4().hex[:12]
LABEL = "entropy:contract"
PATCH = """\
diff --git a/{name} b/{name}
new file mode 100644
--- /dev/null
+++ b/{name}
@@ -0,0 +1 @@
+once
"""


class Somewhere(NamedTuple):
    server: Between
    token: Secret
    repository: str
    folder: Path

    def connect(self) -> GitHub:
        return GitHub(GitHubSettings(api=self.server.api), self.token)


@pytest.fixture(scope="module", params=["the embedded forge", "the forge that is named"])
def somewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Somewhere]:
    folder = tmp_path_factory.mktemp("anywhere")
    if request.param == "the embedded forge":
        source = folder / "source"
        source.mkdir()
        (source / "text.txt").write_text("once\n")
        with running_forge(folder) as forge:
            forge.store.import_repository(source, "acme/widgets")
            token = forge.store.enrol("owner", name=None, full_name="acme/widgets", permission="admin")
            with between(forge.api) as server:
                yield Somewhere(server, Secret(token), "acme/widgets", folder)
        return
    token = os.environ.get("GITHUB_CONTRACT_TOKEN", "")
    repository = os.environ.get("GITHUB_CONTRACT_REPOSITORY", "")
    if not (token and repository):
        pytest.skip("no other forge is named; see this file's first lines")
    with between(os.environ.get("GITHUB_CONTRACT_API", "https://api.github.com")) as server:
        yield Somewhere(server, Secret(token), repository, folder)


@pytest.fixture(scope="module")
def item(somewhere: Somewhere) -> WorkItem:
    with somewhere.connect() as client:
        body = {"title": f"Contract {NAME}", "body": "Made by a test.", "labels": [LABEL]}
        made = client._connection.write(
            "POST", f"/repos/{somewhere.repository}/issues", body, target=somewhere.repository, action="open"
        )
    return WorkItem(repository=somewhere.repository, number=made["number"])


def test_an_issue_is_found_commented_and_labelled(somewhere: Somewhere, item: WorkItem) -> None:
    with somewhere.connect() as client:
        assert item in [found.item for found in client.discovery.labelled(somewhere.repository, [LABEL])]
        known = client.issues.ensure_comment(item, marker="contract", body="Started.")
        assert client.issues.ensure_comment(item, marker="contract", body="Done.", known=known) == known
        client.issues.relabel(item, add=[f"{LABEL}:done"], remove=[LABEL])
        found = client.issues.get(item)
        client.reactions.add(item, known, "eyes")
        assert [reaction.content for reaction in client.reactions.of(item, known)] == ["eyes"]
        assert client.trust.permission(item.repository, client.identity().login).level in {"admin", "write"}
        assert f"{LABEL}:done" in [happening.label for happening in client.timeline.of(item)]
    assert [comment.author for comment in found.comments] == [client.identity().login]
    assert found.labels == (f"{LABEL}:done",)


def test_what_did_not_change_is_not_sent_again(somewhere: Somewhere, item: WorkItem) -> None:
    path = f"/repos/{item.repository}/issues/{item.number}"
    with somewhere.connect() as client:
        first = client._connection.compare(path, etag=None, tried="read it")
        again = client._connection.compare(path, etag=first.etag, tried="read it again")
    assert first.data["number"] == item.number
    assert (again.etag, again.data) == (first.etag, None)


def test_a_change_is_pushed_proposed_reviewed_and_merged(somewhere: Somewhere) -> None:
    repository, branch = somewhere.repository, f"entropy/contract-{NAME}"
    with somewhere.connect() as client:
        facts = client.repository(repository)
        head = pushed(somewhere, client, base=facts.default_branch, branch=branch)
        number = client.pulls.ensure(repository, branch=branch, base=facts.default_branch, title=NAME, body="Please.")
        pull = WorkItem(repository=repository, number=number)
        assert [found.number for found in client.pulls.find(repository, branch=branch)] == [number]
        client.reviews.ensure(pull, marker="contract", commit=head, verdict=Verdict.UNCHANGED, body="I looked.")
        client.reviews.set_status(repository, commit=head, context="contract", state="success", description="Green.")
        found = client.issues.get(pull).pull_request
        assert found is not None
        assert (found.head_commit, [check.name for check in found.checks]) == (head, ["contract"])
        assert [review.commit for review in found.reviews] == [head]
        merged = client.pulls.merge(pull, head=head, title="Merge", message="By a test.")
        assert client.pulls.merge(pull, head=head, title="Merge", message="By a test.") == merged


def pushed(somewhere: Somewhere, client: GitHub, *, base: str, branch: str) -> str:
    """The commit of a change that adds a file, pushed to the branch."""
    url = client.repository(somewhere.repository).clone_url
    mirror = Mirror(RepositorySettings(cache=somewhere.folder / "cache"), url=url, token=somewhere.token)
    mirror.fetch()
    patch = PATCH.format(name=f"{NAME}.txt")
    rules = PatchRules(max_files=1)
    head = mirror.commit_patch(
        mirror.commit_of(base), patch.encode(), message=NAME, identity=client.identity(), when=time.time(), rules=rules
    )
    mirror.push(head, branch, expected=None)
    return head


def test_every_exchange_kept_the_contract(somewhere: Somewhere, item: WorkItem) -> None:
    with somewhere.connect() as client:
        path = f"/repos/{item.repository}/issues/{item.number}"
        client._connection.write("PATCH", path, {"state": "closed"}, target=item, action="close")
    violations = [violation for each in somewhere.server.exchanges for violation in github().violations(each)]
    assert unexcused(violations) == []
    assert len(somewhere.server.exchanges) > 3
