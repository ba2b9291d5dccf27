"""Keys and what they close.

One master key lies in a file that only its owner may read. Everything else is derived from it (HKDF-SHA256, RFC 5869), so
that a leaked session key opens no camera. Camera credentials are closed with AES-256-GCM; the stream's id is authenticated
with them, so that a row cannot be given another's password.
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from barnhand.core.errors import ConfigurationError

KEY_BYTES = 32
NONCE_BYTES = 12
FILE_NAME = "master.key"


class SecretBox:
    """Closes and opens small texts."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ConfigurationError(f"the master key has {len(key)} bytes instead of {KEY_BYTES}; put the right file back")
        self._key = key
        self._cipher = AESGCM(self.derive("credentials"))

    @classmethod
    def open(cls, folder: Path) -> "SecretBox":
        """The box of a data folder's ``secrets/``; its key is made at the first start.

        Raises ``ConfigurationError`` when others may read the key.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / FILE_NAME
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            # A process that finds the file empty is between these two lines of another; it fails and is started again.
            with os.fdopen(handle, "wb") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"others may read {path}; run chmod 600 on it and set the cameras' passwords anew")
        return cls(path.read_bytes())

    def derive(self, purpose: str) -> bytes:
        """A key of its own for ``purpose``."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"barnhand " + purpose.encode()).derive(self._key)

    def close(self, text: str, bound_to: str) -> bytes:
        """``text`` encrypted; it opens only together with ``bound_to``."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), bound_to.encode())

    def reveal(self, closed: bytes, bound_to: str) -> str:
        """What was closed. Raises ``ConfigurationError`` when the key is another or the bytes were changed."""
        try:
            return self._cipher.decrypt(closed[:NONCE_BYTES], closed[NONCE_BYTES:], bound_to.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                "a camera's password cannot be read with this master key; put the key back or set the password anew"
            ) from error
