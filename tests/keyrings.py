"""A keyring that works without a desktop: a file, really encrypted, with a password that nobody is asked for.

Processes choose it by `PYTHON_KEYRING_BACKEND=tests.keyrings.UnattendedKeyring`; its file is in the
folder that `XDG_DATA_HOME` names.
"""

from __future__ import annotations

import hashlib
from typing import Any

from keyrings.alt.file import EncryptedKeyring

__all__ = ["UnattendedKeyring"]


class UnattendedKeyring(EncryptedKeyring):
    """The encrypted file of `keyrings.alt`, unlocked."""

    priority = 0

    def __init__(self) -> None:
        super().__init__()
        self.keyring_key = "a master password"

    def _create_cipher(self, password: str, salt: bytes, vector: bytes) -> Any:
        # The original leaves the hash to a default that warns.
        key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1000, self.block_size)
        return self.AES.new(key, self.AES.MODE_CFB, vector)
