"""Which repositories are served."""

from pathlib import Path

import pytest

from entropy.scheduling.roster import ROSTER, chosen
from entropy.settings import GitHubSettings
from tests.integration.scheduling.country import CODE, open_country

APP: dict[str, object] = {"apps": {"*": 1}, "repositories": ()}


def test_an_app_serves_all_repositories_that_it_is_installed_on_but_archived_ones(
    tmp_path: Path, redis_url: str
) -> None:
    with open_country(tmp_path, redis_url, 120, github=APP) as country:
        with country.forge.store.write() as db:
            db.execute("UPDATE repositories SET archived = 1 WHERE name = 'r00007'")
        number = country.issue(country.repositories[119], CODE)
        assert country.discover() == [f"{country.repositories[119]}#{number}"]
        served = country.tools.rounds.serves(country.repositories)
        assert served == set(country.repositories) - {"acme/r00007"}


def test_a_list_that_did_not_change_is_free_and_one_that_changed_is_followed(tmp_path: Path, redis_url: str) -> None:
    with open_country(tmp_path, redis_url, 3, github=APP) as country:
        country.discover()
        country.later()
        country.charged()
        country.tools.rounds.again(ROSTER)
        country.discover()
        assert country.charged() == 0
        with country.forge.store.write() as db:
            db.execute("UPDATE repositories SET archived = 1 WHERE name = 'r00001'")
        country.tools.rounds.again(ROSTER)
        country.discover()
        assert country.tools.rounds.serves(country.repositories) == {"acme/r00000", "acme/r00002"}


def test_who_is_no_app_has_to_name_repositories(
    tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with open_country(tmp_path, redis_url, 2, github={"repositories": ()}) as country:
        assert country.discover() == []
        assert [record.message for record in caplog.records if "ENTROPY_GITHUB__REPOSITORIES" in record.message]


@pytest.mark.parametrize(
    ("allow", "deny", "left"),
    [
        (("*",), (), ["acme/a", "Acme/B-secret", "other/a"]),
        (("acme/*",), (), ["acme/a", "Acme/B-secret"]),
        (("*",), ("*/*-secret", "other/*"), ["acme/a"]),
        (("ACME/A",), (), ["acme/a"]),
        ((), (), []),
    ],
)
def test_patterns_choose(allow: tuple[str, ...], deny: tuple[str, ...], left: list[str]) -> None:
    settings = GitHubSettings(allow=allow, deny=deny)
    assert chosen(("acme/a", "Acme/B-secret", "other/a"), settings) == left
