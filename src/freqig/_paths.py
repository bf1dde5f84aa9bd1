"""Paths as people type them; NumPy is not imported here, so that the command line starts at once."""

from __future__ import annotations

import os
from pathlib import Path


def from_home(path: str) -> Path:
    """A path, in which a leading `~` or `~user` is the home of the user, where there is one."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - pathlib raises where there is none
