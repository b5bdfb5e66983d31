"""The scan for secrets: what it finds however it is spelt, what it leaves alone, and what it says of it."""

import base64
import codecs
from collections.abc import Callable
from urllib.parse import quote

import pytest

from entropy.lifecycle.disguises import betrayed
from entropy.lifecycle.scanning import GONE, OURS, cleansed, scan
from entropy.logging.redaction import Redaction

SECRET = "tok_9fGk2LmQx7/Rv+T4wZbN8yPc1"
VALUES = frozenset({SECRET})
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "reversed": lambda secret: secret[::-1],
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex(" ").upper(),
    "hex, reversed": lambda secret: secret.encode().hex()[::-1],
    "escapes": lambda secret: "".join(f"\\x{byte:02x}" for byte in secret.encode()),
    "C": lambda secret: ", ".join(f"0x{byte:02X}" for byte in secret.encode()),
    "numbers": lambda secret: str(list(secret.encode())),
    "octal": lambda secret: "".join(f"\\{byte:o}" for byte in secret.encode()),
    "entities": lambda secret: "".join(f"&#{ord(character)};" for character in secret),
    "url": lambda secret: quote(secret, safe=""),
    "every character of a url": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for urls": lambda secret: base64.urlsafe_b64encode(f"user:{secret}".encode()).decode(),
    "base64, two on": lambda secret: base64.b64encode(f"xy{secret}zz".encode()).decode(),
    "base64, one on": lambda secret: base64.b64encode(f"x{secret}zz".encode()).decode(),
    "base32": lambda secret: base64.b32encode(f"abc{secret}".encode()).decode(),
    "rot13": lambda secret: codecs.encode(secret, "rot13"),
    "lines": "\n".join,
    "a program": lambda secret: '" +\n    "'.join(secret[at : at + 5] for at in range(0, len(secret), 5)),
    "wide": lambda secret: "".join(f"{character}\0" for character in secret),
    "full width": lambda secret: "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in secret),
    "all but an end": lambda secret: secret[:-3],
    "all but a beginning": lambda secret: secret[5:],
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_known_secret_is_found_however_it_is_spelt(spell: Callable[[str], str]) -> None:
    lines = f"first\nsecond {spell(SECRET)} rest\nlast".split("\n")
    found = list(betrayed(lines, VALUES))
    assert found
    assert 0 not in found
    assert len(lines) - 1 not in found


def test_what_is_not_known_is_left_alone() -> None:
    lines = ["tok_0123456789abcdefghij", "the quick brown fox", base64.b64encode(bytes(range(256))).decode()]
    assert list(betrayed(lines, VALUES)) == []
    assert list(betrayed(["passwd and a password"], frozenset({"passwd", ""}))) == []


def test_a_short_secret_is_found_whole() -> None:
    assert list(betrayed(["x", "hunter2hunter"], frozenset({"hunter2hunt"}))) == [1]
    assert list(betrayed(["x", "hunter2hun"], frozenset({"hunter2hunt"}))) == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("token = ghp_" + "a1B2" * 9, "a GitHub token"),
        ("key: sk-ant-" + "api03-" + "Ab1_" * 10, "a key for a model"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("aws_key = AKIA" + "Q7XA" * 4, "an AWS key"),
        ("SLACK=xoxb-" + "123456789012-" * 2 + "aBcDeF", "a Slack token"),
        ("rk_live_" + "a1B2" * 6, "a Stripe key"),
        ("//registry/:_authToken=npm_" + "a1B2" * 9, "an npm token"),
        ("SG." + "a1" * 11 + "." + "b2" * 21 + "c", "a SendGrid key"),
        ("Bearer eyJ" + "hbGci" * 4 + ".eyJ" + "zdWIi" * 4 + "." + "c2ln" * 6, "a JSON Web Token"),
        ("x" * 5000 + " glpat-" + "aB3d" * 5 + " " + "y" * 5000, "a GitLab token"),
    ],
)
def test_shapes_of_secrets_are_found(line: str, kind: str) -> None:
    assert [(hit.line, hit.kind) for hit in scan(["harmless", line])] == [(1, kind)]


def test_ordinary_lines_are_not() -> None:
    lines = [
        "results.some_long_name_of_a_test_that_is_no_token_at_all()",
        "https://user:password@host.example/path",
        '"integrity": "sha512-' + "Ab1/" * 21 + 'Ab==",',
        "0123456789abcdef0123456789abcdef01234567",
        "sk-learn is not a key, and neither is hf_hub",
    ]
    assert scan(lines) == []


def test_a_text_loses_its_secrets_and_says_of_which_kind_they_were() -> None:
    token = "ghp_" + "a1B2" * 9
    assert cleansed(f"Use {token}, please.") == (f"Use {GONE}, please.", {"a GitHub token"})
    assert cleansed("Nothing here.") == ("Nothing here.", set())


def test_a_text_with_a_known_secret_in_disguise_is_left_out() -> None:
    Redaction.register(SECRET)
    assert cleansed(f"It is {SECRET}.") == (f"It is {GONE}.", {OURS})
    text, kinds = cleansed(f"It is {SECRET.encode().hex()}.")
    assert kinds == {OURS}
    assert SECRET.encode().hex() not in text


def test_a_long_line_of_beginnings_takes_no_square_of_its_length() -> None:
    beginnings = ("sk-ant-", "github_pat_", "eyJ", "aws secret ", "0123456789abcdef", "xoxb-1-", "MNO-_", "NPM_TOKEN ")
    lines = [(beginning * 20_000)[:100_000] for beginning in beginnings]
    assert [hit.line for hit in scan(lines)] == [0, 1, 5]
