"""Identity numbers at rest: encrypted, and found by a blind index (a keyed hash) instead of their text."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken


class Seal:
    """Seals and opens short texts under keys derived from one secret."""

    def __init__(self, secret: str) -> None:
        derived = [hashlib.blake2b(secret.encode(), person=use, digest_size=32).digest() for use in (b"seal", b"index")]
        self._box = Fernet(base64.urlsafe_b64encode(derived[0]))
        self._index_key = derived[1]

    def close(self, text: str) -> bytes:
        """The encrypted form; different every time."""
        return self._box.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """The text again. Raises ValueError when the key is not the one it was sealed with."""
        try:
            return self._box.decrypt(sealed).decode()
        except InvalidToken:
            raise ValueError("IDENTITY_KEY is not the one these numbers were sealed with.") from None

    def close_bytes(self, content: bytes) -> bytes:
        """The encrypted form of a whole file."""
        return self._box.encrypt(content)

    def open_bytes(self, sealed: bytes) -> bytes:
        """The file again. Raises ValueError when the key is not the one it was sealed with."""
        try:
            return self._box.decrypt(sealed)
        except InvalidToken:
            raise ValueError("IDENTITY_KEY is not the one this file was sealed with.") from None

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
