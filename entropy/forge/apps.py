"""GitHub Apps: how one comes to be, and how it proves with a signed token (JWT) that it is itself."""

import re
import sqlite3
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from entropy.forge.records import apps
from entropy.forge.refusals import Refusal

LONGEST = 600
"""Seconds that a JWT may be valid for at most."""
KNOWN = frozenset(
    {
        "actions", "administration", "checks", "contents", "issues", "members", "merge_queues",
        "metadata", "pull_requests", "repository_hooks", "statuses", "workflows",
    }
)  # fmt: skip
"""The permissions that an installation may be given here."""
_NO_TOKEN = "A JSON web token could not be decoded"  # noqa: S105 - GitHub's sentence
_EXPIRED = (
    "'Expiration time' claim ('exp') must be a numeric value representing"
    " the future time at which the assertion expires"
)
_TOO_FAR = "'Expiration time' claim ('exp') is too far in the future"
_NOT_YET = "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"


@dataclass(frozen=True)
class App:
    """What whoever adds an app is told, this once."""

    id: int
    slug: str
    private_key_pem: str = field(repr=False)


def new_key() -> tuple[str, str]:
    """A private key and its public half, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def slug_of(name: str) -> str:
    """GitHub's form of an app's name in addresses."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def client_id(app_id: int) -> str:
    """The other name under which an app may issue its tokens."""
    return f"Iv23li{app_id:014}"


def is_jwt(token: str) -> bool:
    return token.count(".") == 2


def prove(db: sqlite3.Connection, token: str) -> sqlite3.Row:
    """The app that signed this JWT; raises what GitHub says to each thing that can be wrong with it."""
    try:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except jwt.InvalidTokenError:
        raise Refusal(401, _NO_TOKEN) from None
    app = _issued_by(db, issuer)
    try:
        claims = jwt.decode(
            token, app["public_key"], ["RS256"], options={"verify_exp": False, "verify_iat": False, "verify_iss": False}
        )
    except jwt.InvalidTokenError:
        raise Refusal(401, _NO_TOKEN) from None
    _check_times(claims)
    return app


def _issued_by(db: sqlite3.Connection, issuer: object) -> sqlite3.Row:
    text = str(issuer)
    number = text.removeprefix("Iv23li") if len(text) == len(client_id(0)) else text
    app = apps.numbered(db, int(number)) if re.fullmatch(r"[0-9]{1,15}", number) else None
    if app is None:
        raise Refusal(404, "Integration not found")
    return app


def _check_times(claims: dict[str, Any]) -> None:
    issued, expires, moment = claims.get("iat"), claims.get("exp"), time.time()
    if not isinstance(expires, int | float) or expires <= moment:
        raise Refusal(401, _EXPIRED)
    if expires > moment + LONGEST:
        raise Refusal(401, _TOO_FAR)
    if not isinstance(issued, int | float) or issued > moment:
        raise Refusal(401, _NOT_YET)
