"""Mistakes at the terminal: one sentence with the next step, an exit status, and nothing half-written."""

from pathlib import Path

import pytest
import redis

from tests.integration.lifecycle.shell import celery, environment, python

NOWHERE = "redis://:geheim@127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["acme/widgets", "--role", "coder"],
            "'acme/widgets' is not a reference to an issue or a pull request; write it as",
        ),
        (["acme/widgets#1", "--role", "poet"], "There is no role 'poet'; the roles are coder, reviewer, merger."),
    ],
)
def test_a_wrong_start_is_told_and_writes_nothing(
    redis_url: str, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    told = celery("start", *arguments, env=environment(ENTROPY_REDIS__URL=redis_url), cwd=tmp_path)
    assert told.returncode == 1
    assert told.stderr.startswith(f"Error: {sentence}")
    assert len(told.stderr.strip().splitlines()) == 1
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


@pytest.mark.parametrize("arguments", [["start", "acme/widgets#1", "--role", "coder"], ["discover"], ["runs", "list"]])
def test_an_unreachable_redis_is_one_sentence(tmp_path: Path, arguments: list[str]) -> None:
    told = celery(*arguments, env=environment(ENTROPY_REDIS__URL=NOWHERE), cwd=tmp_path)
    assert told.returncode == 1
    assert told.stderr == "Error: Redis at 127.0.0.1:1/0 does not answer; start it or set ENTROPY_REDIS__URL.\n"


@pytest.mark.parametrize(
    "code",
    [
        'from entropy.lifecycle import start; start("acme/widgets#12", role="coder")',
        "from entropy.scheduling import discover; discover.delay()",
    ],
)
def test_in_a_python_shell_the_sentence_is_the_last_line(tmp_path: Path, code: str) -> None:
    told = python(code, env=environment(ENTROPY_REDIS__URL=NOWHERE), cwd=tmp_path)
    assert told.returncode == 1
    assert told.stderr.splitlines()[-1].endswith(
        "StateUnavailable: Redis at 127.0.0.1:1/0 does not answer; start it or set ENTROPY_REDIS__URL."
    )
    assert "geheim" not in told.stderr


def test_a_misspelt_setting_is_one_sentence(tmp_path: Path) -> None:
    told = celery("inspect", "ping", env=environment(ENTROPY_REDIS_URL="redis://x"), cwd=tmp_path)
    assert told.returncode == 1
    assert told.stderr == "entropy: ENTROPY_REDIS_URL is not a setting of Entropy; did you mean ENTROPY_REDIS__URL?\n"


def test_runs_are_listed_and_shown(redis_url: str, tmp_path: Path) -> None:
    env = environment(ENTROPY_REDIS__URL=redis_url)
    run_id = celery("start", "acme/widgets#1", "--role", "coder", env=env, cwd=tmp_path).stdout.strip()
    listed = celery("runs", "list", env=env, cwd=tmp_path).stdout
    assert listed.split() == [run_id, "initialize", "coder", "acme/widgets#1", "-"]
    assert f'"id": "{run_id}"' in celery("runs", "show", run_id, env=env, cwd=tmp_path).stdout
    unknown = celery("runs", "show", "nobody", env=env, cwd=tmp_path)
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)
    assert "There is no run nobody" in unknown.stderr
