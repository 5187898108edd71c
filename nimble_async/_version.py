"""The version, said once: the build, the User-Agent and `--version` read it here."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
