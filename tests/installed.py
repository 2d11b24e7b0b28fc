"""Packages that bring vendors, as pip leaves them: what is on the path is found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["FIFTH", "install", "path_with"]

FIFTH: Final = Path(__file__).parent / "fifth" / "installed"
"""Where the fifth vendor's package lies. On the path of a process it is installed; tests may import it anyway."""


def install(folder: Path, **points: str) -> Path:
    """Put what pip leaves of a package into a folder, which then has to be on the path.

    Args:
        folder: where to.
        points: the names of its entry points, each with what it names.
    """
    left = folder / f"{'_'.join(points)}-1.0.dist-info"
    left.mkdir(parents=True)
    (left / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {'-'.join(points)}\nVersion: 1.0\n")
    lines = "".join(f"{name} = {what}\n" for name, what in points.items())
    (left / "entry_points.txt").write_text(f"[mensasdk.vendors]\n{lines}")
    return folder


def path_with(*folders: Path) -> str:
    """Give the value of PYTHONPATH for a process in which these are installed."""
    return os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])
