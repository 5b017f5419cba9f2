"""Identity numbers at rest: encrypted, and found by a blind index (a keyed hash) instead of their text."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SHORT = b"\x01"
"""What is sealed today begins with this byte, then the nonce; what was sealed by Fernet begins with a letter."""
NONCE = 12
"""Random bytes of each seal: safe for billions of texts under one key (NIST SP 800-38D, 8.3)."""


class Seal:
    """Seals and opens texts and files under keys derived from one secret (AES-256-GCM)."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        derived = [
            hashlib.blake2b(secret.encode(), person=use, digest_size=32).digest() for use in (b"seal", b"index", b"gcm")
        ]
        self._earlier = Fernet(base64.urlsafe_b64encode(derived[0]))
        self._index_key = derived[1]
        self._box = AESGCM(derived[2])

    def __reduce__(self) -> tuple[type[Seal], tuple[str]]:
        """How another process of the program gets the same seal."""
        return Seal, (self._secret,)

    def close(self, text: str) -> bytes:
        """The encrypted form; different every time."""
        return self.close_bytes(text.encode())

    def close_all(self, texts: Sequence[str]) -> list[bytes]:
        """The encrypted form of each of many texts."""
        random = os.urandom(NONCE * len(texts))
        nonces = (random[start : start + NONCE] for start in range(0, len(random), NONCE))
        encrypt = self._box.encrypt
        return [SHORT + nonce + encrypt(nonce, text.encode(), None) for nonce, text in zip(nonces, texts, strict=True)]

    def open(self, sealed: bytes) -> str:
        """The text again. Raises ValueError when the key is not the one it was sealed with."""
        return self.open_bytes(sealed).decode()

    def close_bytes(self, content: bytes) -> bytes:
        """The encrypted form of a whole file."""
        nonce = os.urandom(NONCE)
        return SHORT + nonce + self._box.encrypt(nonce, content, None)

    def open_bytes(self, sealed: bytes) -> bytes:
        """The file again, also one that Fernet sealed. Raises ValueError when the key is not the one it was sealed with."""
        try:
            if sealed[:1] != SHORT:
                return self._earlier.decrypt(sealed)
            return self._box.decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], None)
        except (InvalidToken, InvalidTag, ValueError):
            raise ValueError("IDENTITY_KEY is not the one these numbers were sealed with.") from None

    def index(self, text: str) -> bytes:
        """The same 16 bytes for the same text, useless without the key: equality search only."""
        return hmac.digest(self._index_key, text.encode(), "sha256")[:16]


_current: Seal | None = None


def use(seal: Seal) -> None:
    """Seal and open with this from now on; said once at start-up."""
    global _current
    _current = seal


def current() -> Seal:
    """The program's seal. Raises RuntimeError before start-up has named it."""
    if _current is None:
        raise RuntimeError("no seal is in use: create_app() names it")
    return _current
