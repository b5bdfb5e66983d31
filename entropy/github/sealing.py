"""Sealing of tokens: whoever has the App's private key can read them, and nobody who only sees where they are kept."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from entropy.models import Secret

PURPOSE = b"entropy installation tokens"
NONCE = 12


class Seal:
    """AES-256-GCM under a key derived from the App's private key; each token is bound to its name."""

    def __init__(self, private_key: Secret) -> None:
        derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE)
        self._cipher = AESGCM(derivation.derive(private_key.reveal().strip().encode()))

    def close(self, name: str, content: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, content, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """None for what was sealed with another key or under another name, or was tampered with."""
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], name.encode())
        except (InvalidTag, ValueError):
            return None
