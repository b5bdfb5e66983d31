"""What a compromised agent hides in its lines: people are told of it before they read them."""

import pytest

from entropy.lifecycle.publish.concealment import concealed
from entropy.models import Verdict
from entropy.repository.additions import Addition
from tests.integration.compromised.hostile import adding, coded, worst
from tests.integration.compromised.judge import alive
from tests.integration.lifecycle.office import Office

TRICK = "if access == 'user\N{RIGHT-TO-LEFT OVERRIDE} \N{LEFT-TO-RIGHT ISOLATE}# admin':"


@pytest.mark.redis
@pytest.mark.parametrize("verdict", [Verdict.CHANGED, Verdict.INCOMPLETE])
def test_lines_that_read_otherwise_are_named(office: Office, verdict: Verdict) -> None:
    number, run = coded(office, worst(verdict), patch=adding("changes/1.txt", f"one\n{TRICK}\nthree"))
    body = office.repository("ada").get_pull(run.published.pull_request or 0).body
    assert "characters that are not seen:** `changes/1.txt` line 2 (U+202E, U+2066)." in body
    assert alive(body, numbers=(number,)) == []


def test_many_are_counted_and_honest_text_is_not_named() -> None:
    many = [Addition("a", number, "x\U000e0041") for number in range(1, 8)]
    assert concealed(many).count("U+E0041") == 5
    assert "and 2 more" in concealed(many)
    flag = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    honest = (
        "plain",
        flag,
        "نعم\N{RIGHT-TO-LEFT MARK}",
        "👩\N{ZERO WIDTH JOINER}💻",
        "می\N{ZERO WIDTH NON-JOINER}خواهم",
    )
    assert concealed(Addition("a", 1, text) for text in honest) == ""
