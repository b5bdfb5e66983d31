"""Log lines: JSON, about the run, without secrets."""

import io
import json
import logging

import pytest

from entropy.logging.redaction import Redaction
from entropy.logging.structured import Context, RedactingJsonFormatter, RedactingTextFormatter, about
from entropy.models import Run, WorkItem

RUN = Run(id="r1", item=WorkItem(repository="acme/widgets", number=7), role="coder", created=0)


def line(say: object, **extra: object) -> dict[str, object]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingJsonFormatter("%(levelname)s %(message)s"))
    handler.addFilter(Context())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    if isinstance(say, Exception):
        try:
            raise say
        except type(say):
            logger.exception("it broke", extra=extra)
    else:
        logger.info(*say if isinstance(say, tuple) else (say,), extra=extra)
    written: dict[str, object] = json.loads(stream.getvalue())
    return written


def test_a_line_for_people_steers_no_terminal() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingTextFormatter("%(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.info("a\x1b]0;evil\x07b\rc\u202ed\x9be\tf\ng")
    assert stream.getvalue() == "a\\x1b]0;evil\\x07b\\rc\\u202ed\\x9be\tf\ng\n"


def test_a_line_knows_its_run_and_forgets_it_afterwards() -> None:
    with about(RUN):
        inside = line("hello")
    assert {name: inside[name] for name in ("run_id", "role", "stage", "item", "generation")} == {
        "run_id": "r1",
        "role": "coder",
        "stage": "initialize",
        "item": "acme/widgets#7",
        "generation": 1,
    }
    assert "run_id" not in line("hello")


def test_known_secrets_appear_nowhere_in_a_line() -> None:
    Redaction.register("s3cr3t-value")
    lines = [
        line("s3cr3t-value"),
        line(("with %s", "s3cr3t-value")),
        line("extra", token="s3cr3t-value"),
        line(ValueError("s3cr3t-value")),
    ]
    assert not [written for written in lines if "s3cr3t" in json.dumps(written)]
    assert "***" in json.dumps(lines[3])


def test_shapes_of_tokens_are_taken_out_unasked() -> None:
    token = "ghp_" + "a1B2" * 9
    url = "redis://:passw0rd@127.0.0.1:6379/0"
    written = json.dumps(line(f"{token} and {url}"))
    assert "a1B2" not in written
    assert "passw0rd" not in written
    assert "127.0.0.1:6379" in written


def test_very_short_values_do_not_blank_the_log() -> None:
    Redaction.register("a")
    assert line("banana")["message"] == "banana"


@pytest.mark.parametrize("name", ["sig", "X-Amz-Signature"])
def test_the_signature_of_an_address_appears_nowhere(name: str) -> None:
    written = json.dumps(line(f'"GET /log?se=1&{name}=aB%2f9&sp=r HTTP/1.1" 200'))
    assert "aB%2f9" not in written
    assert "&sp=r HTTP" in written
    assert line(f'at "https://store/log?{name}=aB"')["message"] == f'at "https://store/log?{name}=***"'
