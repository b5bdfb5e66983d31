"""The interfaces of model providers that agent programs speak: where the key goes, and what is of use to them.

A path that is not listed is not served. What an allowance stores - files, batches, past conversations, fine-tunings -
would let one sandbox read what another one left there.
"""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from entropy.errors import ConfigurationError
from entropy.models import Noun
from entropy.sandbox.egress.destinations import is_name

PLACEHOLDER = "injected-outside"
"""What agent programs find where they look for a key; without any, some do not start."""
NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._:-]|/(?=[A-Za-z0-9]))*"


class Dialect(NamedTuple):
    """One kind of interface."""

    header: str
    prefix: str
    """Stands before the key in the header."""
    base_variable: str
    key_variable: str
    offered: re.Pattern[str]
    """Method and path, with a space between them, below the endpoint's address."""


DIALECTS = {
    "anthropic": Dialect(
        header="x-api-key",
        prefix="",
        base_variable="ANTHROPIC_BASE_URL",
        key_variable="ANTHROPIC_API_KEY",
        offered=re.compile(rf"POST /v1/messages(?:/count_tokens)?|GET /v1/models(?:/{NAME})?"),
    ),
    "openai": Dialect(
        header="authorization",
        prefix="Bearer ",
        base_variable="OPENAI_BASE_URL",
        key_variable="OPENAI_API_KEY",
        offered=re.compile(rf"POST /(?:chat/completions|completions|responses|embeddings)|GET /models(?:/{NAME})?"),
    ),
}


class Model(Noun):
    """One endpoint; ``path`` stands before every path that is asked for, without a slash at its end."""

    name: str
    host: str
    port: int
    path: str

    @property
    def dialect(self) -> Dialect:
        return DIALECTS[self.name]

    @property
    def secret(self) -> str:
        """The name of the secret that is its key."""
        return f"{self.name}-key"


def read_model(name: str, url: str) -> Model:
    """From a setting; raises `ConfigurationError`."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if name not in DIALECTS:
        raise ConfigurationError(
            f"ENTROPY_SANDBOX__EGRESS__MODELS names {name}, which is not known; the known are {', '.join(DIALECTS)}."
        )
    if parts.scheme != "https" or not is_name(host) or parts.username or parts.query or parts.fragment:
        raise ConfigurationError(
            f"ENTROPY_SANDBOX__EGRESS__MODELS has no usable address for {name}; write {name}=https://HOST/PATH."
        )
    return Model(name=name, host=host, port=parts.port or 443, path=parts.path.rstrip("/"))
