"""A role that is a GitHub App: its tokens, what they open, who can read them, and what becomes of them."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Barrier
from typing import NamedTuple

import pytest

from entropy.errors import ConfigurationError, ForgeRefused
from entropy.github import GitHub
from entropy.github.apps import GitHubApp
from entropy.github.broker import EARLY, Broker
from entropy.github.permissions import permissions
from entropy.github.sealing import Seal
from entropy.github.transport import Transport
from entropy.models import Secret, WorkItem
from entropy.repository.mirror import Mirror
from entropy.settings import GitHubSettings, RedisSettings, RepositorySettings
from entropy.state.connection import RedisConnection
from entropy.state.keys import Keys
from entropy.state.tokens import Tokens
from tests.forge_server import ForgeServer, running_forge
from tests.jobs import failed_job

REPOSITORY, OTHER = "acme/widgets", "acme/gadgets"
GRANTED = {
    "contents": "write",
    "issues": "write",
    "pull_requests": "write",
    "checks": "write",
    "statuses": "write",
}
KEYS = Keys("apps")


class Place(NamedTuple):
    """A forge with an App in it, and a Redis that keeps its tokens."""

    forge: ForgeServer
    connection: RedisConnection
    number: int
    key: Secret
    known: list[str]

    def acting_as(self, role: str, *, key: Secret | None = None) -> GitHub:
        settings = GitHubSettings(api=self.forge.api)
        return GitHub(settings, lambda transport: self.broker(role, transport, key or self.key))

    def broker(self, role: str, transport: Transport, key: Secret) -> Broker:
        store = Tokens(self.connection, KEYS, patience=10)
        app = GitHubApp(self.number, key, transport)
        return Broker(role, app, key, transport=transport, store=store, known=self.known.append)

    def given(self) -> int:
        """How many tokens the forge holds."""
        with self.forge.store.read() as db:
            return int(db.execute("SELECT count(*) FROM installation_tokens").fetchone()[0])

    def kept(self) -> list[bytes]:
        names = self.connection.redis.keys(KEYS.token("*", "sealed"))
        return [self.connection.redis.get(name) for name in names]


@pytest.fixture
def place(tmp_path: Path, redis_url: str) -> Iterator[Place]:
    source = tmp_path / "source"
    source.mkdir()
    (source / "text.txt").write_text("once\n")
    connection = RedisConnection(RedisSettings(url=redis_url))
    with running_forge(tmp_path) as forge:
        for name in (REPOSITORY, OTHER):
            forge.store.import_repository(source, name, private=True)
        app = forge.store.add_app("Entropy")
        forge.store.install_app(app.id, "acme", None, GRANTED)
        yield Place(forge, connection, app.id, Secret(app.private_key_pem), [])
    connection.close()


def issue(github: GitHub, repository: str) -> WorkItem:
    made = github._connection.write(
        "POST", f"/repos/{repository}/issues", {"title": "t"}, target=repository, action="t"
    )
    return WorkItem(repository=repository, number=made["number"])


def test_an_app_acts_as_its_bot(place: Place) -> None:
    with place.acting_as("coder") as github:
        identity = github.identity()
        item = issue(github, REPOSITORY)
        github.issues.ensure_comment(item, marker="m", body="Hello.")
        github.issues.ensure_comment(item, marker="m", body="Hello again.")
        (comment,) = github.issues.get(item).comments
    assert identity.login == comment.author == "entropy[bot]"
    assert identity.email.endswith("+entropy[bot]@users.noreply.127.0.0.1")


def test_a_token_opens_one_repository_only(place: Place) -> None:
    with place.acting_as("coder") as github:
        token = github.token(REPOSITORY)
        assert token.reveal() in place.known
    with GitHub(GitHubSettings(api=place.forge.api), token) as stolen:
        assert stolen.repository(REPOSITORY).name == REPOSITORY
        with pytest.raises(ForgeRefused):
            stolen.repository(OTHER)


def test_a_role_may_do_no_more_than_its_work_needs(place: Place, tmp_path: Path) -> None:
    with place.acting_as("reviewer") as github:
        url = github.repository(REPOSITORY).clone_url
        reviewer = github.token(REPOSITORY)
    with place.acting_as("coder") as github:
        coder = github.token(REPOSITORY)
    pushes = {}
    for name, token in (("reviewer", reviewer), ("coder", coder)):
        mirror = Mirror(RepositorySettings(cache=tmp_path / name), url=url, token=token)
        mirror.fetch()
        try:
            mirror.push(mirror.commit_of("main"), f"by-{name}", expected=None)
            pushes[name] = True
        except ForgeRefused:
            pushes[name] = False
    assert pushes == {"reviewer": False, "coder": True}


def test_the_scheduler_reads_all_with_one_token_and_writes_with_one_per_repository(place: Place) -> None:
    with place.acting_as("coder") as coder:
        items = [issue(coder, name) for name in (REPOSITORY, OTHER)]
    before = place.given()
    with place.acting_as("scheduler") as github:
        _, page = github.discovery.installed("acme", 1, etag=None)
        assert page is not None
        assert set(page.names) == {REPOSITORY, OTHER}
        for item in items:
            github.issues.get(item)
        assert place.given() - before == 1
        for item in items:
            github.issues.ensure_comment(item, marker="m", body="Hello.")
    assert place.given() - before == 3


def test_sixteen_threads_ask_for_one_token(place: Place) -> None:
    together = Barrier(16)
    with place.acting_as("coder") as github, ThreadPoolExecutor(16) as pool:

        def ask(_: int) -> str:
            with github:
                together.wait()
                return github.token(REPOSITORY).reveal()

        assert len(set(pool.map(ask, range(16)))) == 1
    assert place.given() == 2  # and the one to look for the repository's id


def test_who_sees_redis_but_not_the_key_cannot_read_a_token(place: Place) -> None:
    with place.acting_as("coder") as github:
        token = github.token(REPOSITORY).reveal()
    other = place.forge.store.add_app("Other")
    for sealed in place.kept():
        assert token.encode() not in sealed
        names = [name.decode() for name in place.connection.redis.keys("*")]
        assert all(Seal(Secret(other.private_key_pem)).open(name, sealed) is None for name in names)
    assert len(place.kept()) == 2


def test_a_token_that_was_put_under_another_name_is_not_believed(place: Place) -> None:
    """Whoever can write to Redis cannot hand the coder's token to a reviewer, only have it make a new one."""
    with place.acting_as("coder") as coder, place.acting_as("reviewer") as reviewer:
        stolen, own = coder.token(REPOSITORY).reveal(), reviewer.token(REPOSITORY).reveal()
        sealed = place.connection.redis.get(KEYS.token(f"{place.number}:coder:{REPOSITORY}", "sealed"))
        place.connection.redis.set(KEYS.token(f"{place.number}:reviewer:{REPOSITORY}", "sealed"), sealed)
        assert reviewer.token(REPOSITORY).reveal() not in {stolen, own}


def test_a_token_is_not_handed_out_near_its_end(place: Place) -> None:
    with place.acting_as("coder") as github:
        github.token(REPOSITORY)
    left = place.connection.redis.pttl(KEYS.token(f"{place.number}:coder:{REPOSITORY}", "sealed")) / 1000
    assert abs(left - (3600 - EARLY)) < 10  # a busy forge says the time of a few seconds ago


def test_a_token_that_was_taken_back_is_replaced_and_the_write_is_made_once(place: Place) -> None:
    with place.acting_as("coder") as github:
        item = issue(github, REPOSITORY)
        with place.forge.store.write() as db:
            db.execute("DELETE FROM installation_tokens")
        github.issues.ensure_comment(item, marker="m", body="Hello.")
        assert len(github.issues.get(item).comments) == 1


def test_a_token_is_revoked_with_the_last_run_that_uses_it(place: Place) -> None:
    with place.acting_as("coder") as github:
        github.use(REPOSITORY, "one")
        github.use(REPOSITORY, "two")
        token = github.token(REPOSITORY)
        assert not github.retire(REPOSITORY, "one")
        assert github.token(REPOSITORY).reveal() == token.reveal()
        assert github.retire(REPOSITORY, "two")
        assert not github.retire(REPOSITORY, "two")
    with GitHub(GitHubSettings(api=place.forge.api), token) as revoked, pytest.raises(ForgeRefused, match="401"):
        revoked.repository(REPOSITORY)


def test_a_renamed_repository_keeps_its_token_by_its_id(place: Place) -> None:
    with place.acting_as("coder") as github:
        item = issue(github, REPOSITORY)
    place.forge.store.rename(REPOSITORY, "sprockets")
    place.connection.redis.flushall()
    with place.acting_as("coder") as github:
        github.issues.ensure_comment(item, marker="m", body="Hello.")
        assert github.repository(REPOSITORY).name == "acme/sprockets"
        assert len(github.issues.get(item).comments) == 1


def test_an_owner_without_the_app_is_told_in_one_sentence(place: Place) -> None:
    told = rf"^The GitHub App {place.number} is not installed for nobody, or suspended there; install it, or"
    with place.acting_as("coder") as github, pytest.raises(ForgeRefused, match=told):
        github.repository("nobody/widgets")


def test_a_key_that_is_none_is_told_in_one_sentence_without_it(place: Place) -> None:
    with (
        place.acting_as("coder", key=Secret("not a key")) as github,
        pytest.raises(ConfigurationError, match=r"is not a private key in PEM form") as caught,
    ):
        github.repository(REPOSITORY)
    assert "not a key" not in str(caught.value)


def test_the_token_is_nowhere_to_be_seen_while_git_works(place: Place, tmp_path: Path) -> None:
    """Neither in the configuration of the mirror nor in any file beside it."""
    with place.acting_as("coder") as github:
        token, url = github.token(REPOSITORY), github.repository(REPOSITORY).clone_url
    Mirror(RepositorySettings(cache=tmp_path / "cache"), url=url, token=token).fetch()
    found = subprocess.run(["grep", "-r", token.reveal(), str(tmp_path / "cache")], capture_output=True, check=False)
    assert (found.returncode, found.stdout) == (1, b"")
    assert "@" not in url


def test_what_is_not_granted_is_not_asked_for() -> None:
    granted = {"metadata": "read", "issues": "read", "contents": "write"}
    assert permissions("merger", granted) == {"metadata": "read", "contents": "write", "issues": "read"}


@pytest.mark.parametrize(
    ("granted", "log", "again"), [("", "", False), ("read", "Red.", False), ("write", "Red.", True)]
)
def test_logs_of_jobs_need_one_permission_and_running_them_again_needs_more_of_it(
    place: Place, granted: str, log: str, again: bool
) -> None:
    place.forge.store.install_app(place.number, "acme", None, {**GRANTED, **({"actions": granted} if granted else {})})
    with place.acting_as("coder") as coder, place.acting_as("scheduler") as scheduler:
        url, token = coder.repository(REPOSITORY).clone_url, coder.token(REPOSITORY)
        mirror = Mirror(RepositorySettings(cache=place.forge.data / "cache"), url=url, token=token)
        mirror.fetch()
        commit = mirror.commit_of("refs/heads/main")
        job = failed_job(place.forge.store, REPOSITORY, commit, log=b"Red.\n")
        (check,) = coder.checks.failed(REPOSITORY, commit, logs=True)
        assert check.log == log
        with pytest.raises(ForgeRefused):
            coder.checks.rerun(REPOSITORY, job)  # never its office
        with nullcontext() if again else pytest.raises(ForgeRefused):
            scheduler.checks.rerun(REPOSITORY, job)
