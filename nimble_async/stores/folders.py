"""The user's own folders, as the platform names them.

Rule: where there is no home, as for a container's user of no name, nothing is put into the working
directory instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from nimble_async.errors import ConfigurationError

__all__ = ["own_folder"]


def own_folder(kind: Literal["data", "state", "cache"], *, extra: str = "cli") -> Path:
    """Return the folder of this program for what it keeps; it need not exist.

    Raises:
        ConfigurationError: `extra` is not installed, or this user has no home.
    """
    try:
        import platformdirs
    except ImportError as error:
        raise ConfigurationError(
            "Saved logins need platformdirs.", hint=f"Run: pip install 'nimble-async[{extra}]'"
        ) from error
    find = {
        "data": platformdirs.user_data_path,
        "state": platformdirs.user_state_path,
        "cache": platformdirs.user_cache_path,
    }
    try:
        folder = find[kind]("nimble-async", appauthor=False)
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():
        raise ConfigurationError(
            "This user has no home, so there is no place for saved logins.",
            hint=f"Set HOME, or XDG_{kind.upper()}_HOME, to a folder of this user's.",
        )
    return folder
