"""Control workers whose roles are GitHub Apps: what a toolbox makes of the settings, and what cleanup gives back."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from entropy.errors import ForgeRefused
from entropy.github import GitHub
from entropy.lifecycle.cleanup import cleanup
from entropy.logging.redaction import Redaction
from entropy.models import Run, Secret, WorkItem
from entropy.settings import GitHubSettings, Settings
from entropy.wiring import Toolbox
from tests.forge_server import ForgeServer, running_forge

REPOSITORY = "acme/widgets"
GRANTED = {"contents": "write", "issues": "write", "pull_requests": "write", "checks": "write"}


class Control(NamedTuple):
    forge: ForgeServer
    tools: Toolbox

    def run(self, number: int) -> Run:
        _, run_id = self.tools.runs.admit(WorkItem(repository=REPOSITORY, number=number), "coder", trigger=None)
        return self.tools.runs.get(run_id)

    def opens(self, token: Secret) -> bool:
        with GitHub(GitHubSettings(api=self.forge.api), token) as anybody:
            try:
                return anybody.repository(REPOSITORY).name == REPOSITORY
            except ForgeRefused:
                return False


@pytest.fixture
def control(tmp_path: Path, redis_url: str) -> Iterator[Control]:
    source, secrets = tmp_path / "source", tmp_path / "secrets"
    source.mkdir()
    secrets.mkdir()
    (source / "text.txt").write_text("once\n")
    with running_forge(tmp_path) as forge:
        forge.store.import_repository(source, REPOSITORY, private=True)
        reviewer = forge.store.enrol("reviewer", name=None, full_name=REPOSITORY, permission="write")
        app = forge.store.add_app("Entropy")
        forge.store.install_app(app.id, "acme", None, GRANTED)
        for name, value in (("coder_github_app_key", app.private_key_pem), ("reviewer_github_token", reviewer)):
            path = secrets / name
            path.touch(mode=0o600)
            path.write_text(value)
        told = {
            "redis": {"url": redis_url},
            "github": {"api": forge.api, "apps": f"coder={app.id}"},
            "secrets": {"directory": secrets},
            "repository": {"cache": tmp_path / "cache"},
        }
        tools = Toolbox(Settings.model_validate(told))
        yield Control(forge, tools)
        for role in ("coder", "reviewer"):
            tools.github(role).close()
        tools.connection.close()


def test_one_role_is_an_app_and_another_has_a_token(control: Control) -> None:
    logins = [control.tools.github(role).identity().login for role in ("coder", "reviewer")]
    assert logins == ["entropy[bot]", "reviewer"]


def test_git_is_given_the_repository_s_own_token(control: Control) -> None:
    mirror = control.tools.mirror("coder", REPOSITORY)
    mirror.fetch()
    mirror.push(mirror.commit_of("main"), "by-the-app", expected=None)
    mirror.fetch()
    assert mirror.tip_of("by-the-app") == mirror.commit_of("main")


def test_a_token_is_known_to_the_redaction_before_it_is_used(control: Control) -> None:
    token = control.tools.github("coder").token(REPOSITORY).reveal()
    assert token in Redaction._values  # not every kind of token has a shape that is known
    assert Redaction.apply(f"it is {token}.") == "it is ***."


def test_cleanup_revokes_the_token_with_the_last_run_that_uses_it(control: Control) -> None:
    forge, runs = control.tools.github("coder"), [control.run(1), control.run(2)]
    for run in runs:
        forge.use(REPOSITORY, run.id)
    token = forge.token(REPOSITORY)
    cleanup(runs[0], control.tools)
    assert control.opens(token)
    cleanup(runs[1], control.tools)
    assert not control.opens(token)


def test_cleanup_goes_on_when_the_forge_cannot_revoke(control: Control, caplog: pytest.LogCaptureFixture) -> None:
    run = control.run(1)
    control.tools.github("coder").token(REPOSITORY)
    with control.forge.store.write() as db:
        db.execute("DELETE FROM installation_tokens")
    assert cleanup(run, control.tools) == run
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == ["token not revoked"]


def test_a_role_whose_credentials_are_wrong_is_told_of_and_one_without_any_is_not(
    control: Control, caplog: pytest.LogCaptureFixture
) -> None:
    path = control.tools.settings.secrets.directory / "merger_github_token"
    path.touch(mode=0o600)
    path.write_text("revoked")
    with control.tools.github("merger"):
        assert control.tools.identities == {"coder": "entropy[bot]", "reviewer": "reviewer"}
    (told,) = [vars(record) for record in caplog.records if record.name == "entropy.wiring"]
    assert (told["levelname"], told["role"]) == ("WARNING", "merger")
    assert "renew the token of this role" in told["why"]


def test_requests_take_turns(control: Control) -> None:
    control.tools.github("reviewer").repository(REPOSITORY)
    control.tools.github("coder").repository(REPOSITORY)
    names = {name.decode().split(":")[2] for name in control.tools.connection.redis.keys("entropy:limit:*")}
    assert names == {"user", "installation"}
