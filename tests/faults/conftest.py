"""The raw servers of the transport's tests, which the fault matrix uses too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "transport"))

from . import tables  # noqa: F401 - it registers the rows of the document
