"""What secrets look like: the rules of detect-secrets that name a maker, and shapes of our own where it has none.

Its rules by entropy and by keyword are left out, for they find secrets in every lock file and test; so are those that
take the square of a line's length, and nothing of it asks the network.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from detect_secrets.plugins.artifactory import ArtifactoryDetector
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

WINDOW, OVERLAP = 1024, 256
"""Characters looked at in one go, so that a long line of an attacker's takes no longer than as many short ones."""

DETECTORS: Mapping[str, RegexBasedDetector] = MappingProxyType(
    {
        "an AWS key": AWSKeyDetector(),
        "an Artifactory credential": ArtifactoryDetector(),
        "a Discord token": DiscordBotTokenDetector(),
        "a SendGrid key": SendGridDetector(),
        "a Slack token": SlackDetector(),
        "a Square secret": SquareOAuthDetector(),
        "a Stripe key": StripeDetector(),
        "a Twilio key": TwilioKeyDetector(),
    }
)
PATTERNS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
        "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}"),
        "a key for a model": re.compile(r"\b(?:sk-(?:ant|proj|svcacct|admin)-|hf_)[A-Za-z0-9_-]{30,}"),
        "a Google key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"),
        "an npm token": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
        "a PyPI token": re.compile(r"\bpypi-AgE[A-Za-z0-9_-]{50,}"),
        "a Vault token": re.compile(r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}"),
        "an Azure key": re.compile(r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
        "a JSON Web Token": re.compile(r"(?<![\w-])eyJ[\w-]++\.eyJ[\w-]++\.[\w-]{10,}"),
        "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    }
)
OPENERS = frozenset({"a private key"})
"""Those that only find where a secret begins."""


def alike(line: str) -> Iterator[tuple[str, str]]:
    """What on the line looks like a secret, by kind."""
    for window in _windows(line.replace("\0", "")):
        for kind, pattern in PATTERNS.items():
            yield from ((kind, found[0]) for found in pattern.finditer(window))
        for kind, detector in DETECTORS.items():
            yield from ((kind, found) for found in detector.analyze_string(window) if found)


def _windows(line: str) -> Iterable[str]:
    if len(line) <= WINDOW:
        return (line,)
    return (line[at : at + WINDOW] for at in range(0, len(line) - OVERLAP, WINDOW - OVERLAP))
