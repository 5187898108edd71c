"""Where a saved login lives: one token file for each profile, in the user's data folder.

Rule: names and paths only. What is in the file, and who may read it, is the file store's.
"""

from __future__ import annotations

import re
from pathlib import Path

from nimble_async.errors import ConfigurationError
from nimble_async.stores.file import FileStore

__all__ = ["profile_path", "saved_login"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def profile_path(profile: str = "default") -> Path:
    """Return the token file of a profile; it need not exist.

    Raises:
        ConfigurationError: The name cannot be a file's, or the extra `cli` is not installed.
    """
    if not _NAME.fullmatch(profile):
        raise ConfigurationError(
            f"{profile!r} cannot be the name of a profile.",
            hint="Use letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
        )
    try:
        from platformdirs import user_data_path
    except ImportError as error:
        raise ConfigurationError(
            "Saved logins need platformdirs.", hint="Run: pip install 'nimble-async[cli]'"
        ) from error
    return user_data_path("nimble-async", appauthor=False) / "profiles" / profile


def saved_login(profile: str = "default") -> FileStore:
    """Return the store of a saved login.

    Raises:
        ConfigurationError: As in `profile_path`.
    """
    return FileStore(profile_path(profile))
