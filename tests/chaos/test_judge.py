"""The judge and the record themselves: they see what is missing, what is doubled, and how long a recovery took."""

import json
from pathlib import Path

from entropy.forge.records import comments, issues, pulls, repositories, users
from entropy.forge.records.pulls import Span
from entropy.forge.store import Store
from tests.chaos.judge import Judge
from tests.chaos.record import Strike, executions, recoveries, repeated
from tests.chaos.work import Task, seed

WORK = (Task("acme/chaos-0", 1, 0), Task("acme/chaos-0", 2, 0))


def test_what_is_missing_and_what_is_doubled_is_seen(tmp_path: Path) -> None:
    with Store(tmp_path / "forge") as store:
        seed(store, tmp_path / "secrets", WORK, trigger="entropy:code")
        with store.write() as db:
            home, coder = repositories.named(db, "acme/chaos-0"), users.named(db, "entropy-coder")
            assert home is not None
            assert coder is not None
            first = issues.get(db, home["id"], 1)
            assert first is not None
            for text in ("Once.", "Twice."):
                comments.create(db, first["id"], coder["id"], f"<!-- entropy:status:coder -->\n{text}")
            for branch in ("entropy/issue-1", "entropy/issue-1-2"):
                pull = issues.create(db, home["id"], coder["id"], title="Change", body="Closes #1", is_pull=True)
                pull = pulls.attach(db, pull["id"], Span("main", "a" * 40, branch, "b" * 40), draft=False)
                issues.link(db, pull, "acme/chaos-0")
                pulls.complete(db, pull, commit="c" * 40, user_id=coder["id"], closes=True)
    bad, untouched = Judge(tmp_path / "forge").findings(WORK)
    assert bad.doubled == ("comment on #1 by entropy-coder: entropy:status:coder", "pull request", "merge")
    assert bad.missing == ("review",)
    assert untouched.missing == ("pull request", "merge", "closing", "review", "closed")


def line(second: float, process: int, message: str, generation: int) -> str:
    fields = {"run_id": "r", "item": "a/b#1", "role": "coder", "stage": "execute", "generation": generation}
    return json.dumps(
        {"time": f"2026-01-02 03:04:{second:06.3f}".replace(".", ","), "process": process, "message": message, **fields}
    )


def test_a_recovery_lasts_from_the_blow_until_the_stage_begins_again(tmp_path: Path) -> None:
    (tmp_path / "sandbox-0.log").write_text(line(1, 7, "stage started", 1) + '\n{"time": "2026-')
    (tmp_path / "sandbox-1.log").write_text(
        "\n".join([line(13, 8, "stage started", 2), line(14, 8, "stage finished", 2)])
    )
    first, second = executions(tmp_path)
    strike = Strike("pool child", first.started + 2, frozenset([7]))
    missed = Strike("worker main", second.started + 3, frozenset([8]))
    assert [found.seconds for found in recoveries([first, second], [strike, missed])] == [10]
    assert repeated([first, second], [strike, missed]) == {"pool child": 1}
