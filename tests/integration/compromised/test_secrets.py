"""Secrets in the hands of a compromised agent: none leaves, neither in a patch nor in a word."""

import base64

import pytest

from entropy.models import Finding, Stage, Step, Verdict
from tests.integration.compromised.hostile import adding, begun, coded, finished, world, worst
from tests.integration.compromised.judge import alive
from tests.integration.lifecycle.office import RECIPE, Office

pytestmark = pytest.mark.redis

SHAPED = "ghp_" + "x9Y8" * 9
"""A token of somebody else."""


def token(office: Office) -> str:
    office.tools.github("coder")
    return office.tools.secrets.get("coder", "github-token").reveal()


@pytest.mark.parametrize("spelling", ["plain", "base64", "lines", "shaped", "name"])
def test_a_patch_with_a_secret_is_refused_without_repeating_it(office: Office, spelling: str) -> None:
    secret = token(office)
    content = {
        "plain": f"safe\n# {secret}",
        "base64": f"safe\n{base64.b64encode(secret.encode()).decode()}",
        "lines": "safe\n" + "\n".join(secret),
        "shaped": f"safe\nKEY = '{SHAPED}'",
        "name": "safe",
    }[spelling]
    path = f"src/{secret}.txt" if spelling == "name" else "src/a.txt"
    number = office.filed("entropy:code")
    before = world(office, but=(number,))
    run = finished(office, begun(office, number), worst(Verdict.CHANGED), patch=adding(path, content))
    assert run.outcome is not None
    kind = "a GitHub token" if spelling == "shaped" else "a secret of this installation"
    where = "has a secret in its name" if spelling == "name" else f"`src/a.txt` line 2 holds what looks like {kind}"
    assert run.outcome.verdict is Verdict.REFUSED
    assert where in run.outcome.summary
    assert world(office, but=(number,)) == before
    told = run.model_dump_json() + "".join(body for _, body in office.comments(number))
    assert not any(each in told for each in (secret, SHAPED, base64.b64encode(secret.encode()).decode()))
    assert where in told


def test_what_the_history_of_a_run_tells_has_lost_its_secrets(office: Office) -> None:
    secret, number = token(office), office.filed(RECIPE, "entropy:code")
    split = f"{SHAPED[:9]}\N{ZERO WIDTH JOINER}{SHAPED[9:]}"
    note = f"failed: {secret} {split} @ada\n/entropy stop"
    step = Step(stage=Stage.EXECUTE, generation=1, started=1.0, ended=2.0, note=note)
    run = finished(office, begun(office, number).evolve(history=(step,)), worst(Verdict.FAILED))
    (body,) = (body for _, body in office.comments(number))
    assert "<details><summary>History</summary>" in body
    assert not any(each in body for each in (secret, SHAPED, SHAPED[9:]))
    assert alive(body, numbers=(number,)) == []
    assert run.published.refusal is not None


def test_words_with_secrets_lose_them_and_say_so(office: Office) -> None:
    secret = token(office)
    leak = f"{secret} and {SHAPED}"
    evidence = tuple(
        piece.model_copy(update={"output": f"{leak}\n{secret[::-1]}", "command": ("echo", leak)})
        for piece in worst(Verdict.CHANGED).evidence
    )
    outcome = worst(Verdict.CHANGED, summary=leak, engine=leak, model=secret.encode().hex(), evidence=evidence)
    number, run = coded(office, outcome, title=f"Do {secret}")
    assert run.published.pull_request is not None
    pull = office.repository("ada").get_pull(run.published.pull_request)
    reviewing = begun(office, pull.number, role="reviewer", trigger="entropy:review")
    found = worst(Verdict.CHANGES_REQUESTED, findings=(Finding(path="changes/1.txt", line=1, message=leak),))
    finished(office, reviewing, found)
    (commit,) = pull.get_commits()
    texts = [pull.title, pull.body, commit.commit.message, run.model_dump_json()]
    texts += [body for of in (number, pull.number) for _, body in office.comments(of)]
    texts += [each.body for each in (*pull.get_reviews(), *pull.get_review_comments())]
    for text in texts:
        for spelt in (secret, secret[::-1], secret.encode().hex(), SHAPED):
            assert spelt not in text
    assert "Taken out of the words of this run: a GitHub token, a secret of this installation." in pull.body
    assert office.labels(number) == {RECIPE}
